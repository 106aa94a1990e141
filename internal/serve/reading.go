package serve

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// reading is what an answer gets of the records of one partition.
type reading struct {
	partition *partition
	from      int64 // the offset that is asked for
	visible   int64 // one past the last that may be sent
	room      int   // bytes that may still be sent of it
	batches   [][]byte
	size      int // of all batches
	answer    *kmsg.FetchResponseTopicPartition
}

// The order in which the partitions of a request are read. Those come first whose row groups are in memory: so a row group is used up while it is there, and
// the next are decoded in its place, however many partitions are asked for and whichever come first in the request.
const (
	inMemory = iota
	onItsWay // it is being decoded
	onDisk
)

// read adds record batches to the answer.
func (f *fetching) read(ctx context.Context) error {
	var by [onDisk + 1][]*reading
	for _, r := range f.readings {
		state := f.stateOf(r)
		by[state] = append(by[state], r)
	}
	for _, r := range slices.Concat(by[:]...) {
		if err := f.fill(ctx, r); err != nil {
			return err
		}
	}
	for _, r := range f.readings { // in the order of the answers
		if r.size > 0 {
			r.answer.RecordBatches = f.standIn
			f.bodies = append(f.bodies, body{r.batches, r.size})
		}
	}
	return nil
}

func (f *fetching) stateOf(r *reading) int {
	switch {
	case f.cache.find(r.partition, r.partition.stretchAt(r.from, r.visible).at) != nil:
		return inMemory
	case r.partition.ahead.Load():
		return onItsWay
	}
	return onDisk
}

// fill adds record batches of a partition.
func (f *fetching) fill(ctx context.Context, r *reading) error {
	p, at := r.partition, r.from
	for ; at < r.visible && (f.sent == 0 || f.left > 0 && f.blocks < mostBlocks); f.blocks++ {
		s := p.stretchAt(at, r.visible)
		if f.sent > 0 && f.leave(p, s.at) {
			break
		}
		b, err := f.cache.get(ctx, p, s.at)
		if err != nil {
			return err
		}
		if b.err != nil {
			if at == r.from {
				f.unreadable(p, b.err, at, r.answer)
			}
			return nil
		}
		last := f.take(b, s, r)
		if last > b.hi {
			f.cache.finish(b)
		}
		next := s.served(last)
		if next == at {
			break
		}
		at = next
	}
	if at > r.from {
		f.last = append(f.last, delivery{p, at})
	}
	return nil
}

// unreadable answers that what is at an offset cannot be read: it is damaged, or was pruned.
func (f *fetching) unreadable(p *partition, err error, at int64, sp *kmsg.FetchResponseTopicPartition) {
	p.follow(err)
	if sp.LogStartOffset = p.first(); at < sp.LogStartOffset {
		sp.ErrorCode, f.refused = kerr.OffsetOutOfRange.Code, true
		return
	}
	sp.ErrorCode, f.damaged = readError(err), true
}

// take adds batches of a block for a stretch and returns the offset behind them. The first batch of an answer is sent whatever its size.
func (f *fetching) take(b *block, s stretch, r *reading) int64 {
	for i := range b.batches {
		one := b.batches[i]
		if one.last < s.at || s.at >= s.until {
			continue
		}
		if one.last >= s.until {
			one = one.cut(s.at, s.until)
		}
		if f.sent > 0 && (len(one.raw) > r.room || len(one.raw) > f.left) {
			return s.at
		}
		f.add(&one, &s, r)
	}
	if last := min(b.hi, s.until-1); s.at <= last {
		gap := marker(s.at, last) // no batch reaches so far
		f.add(&gap, &s, r)
	}
	return s.at
}

// add adds a batch, and begins the stretch behind it.
func (f *fetching) add(one *batch, s *stretch, r *reading) {
	raw := one.raw
	if s.round > 0 {
		raw = slices.Clone(raw)
		s.move(raw)
	}
	r.batches, r.size = append(r.batches, raw), r.size+len(raw)
	r.room -= len(one.raw)
	f.left -= len(one.raw)
	f.sent += len(one.raw)
	s.at = one.last + 1
}

// enough is what an answer goes with at once, without what is not decoded yet.
const enough = batchBytes

// leave says that an answer with records goes without the row group of an offset, which is not in memory: it would take the place of one that somebody is in
// the middle of, or can be decoded while the client is busy with what it gets.
func (f *fetching) leave(p *partition, offset int64) bool {
	if f.cache.find(p, offset) != nil {
		return false
	}
	room := f.cache.reserve()
	switch {
	case room == 0:
		return true
	case f.sent < enough || !p.ahead.CompareAndSwap(false, true):
		f.cache.release(room)
		return f.sent >= enough
	}
	f.running.Go(func() {
		defer p.ahead.Store(false)
		defer f.cache.release(room)
		f.cache.get(f.Server.ctx, p, offset) // what is wrong with it is said
	})
	return true
}
