package capture

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/reshaping"
)

// lane takes one partition from its fetches to sealed segments. Its methods are for its own goroutine.
//
// What it writes depends on the records and on the options alone, in a snapshot: not on how records arrived, on other lanes, or on
// whether the snapshot was interrupted. That is why an interrupted one drops what it did not seal.
type lane struct {
	work
	run     *run
	decoder decoder
	inbox   chan chunk
	cut     chan struct{} // asks to end the row group, to free memory
	due     chan struct{} // asks to seal the segment, to free the spool

	pending *format.Pending // the segment being written; nil: none
	rotate  *time.Timer     // ends it, in a follow capture
	base    int64           // first offset that is not sealed
	next    int64           // first offset that is not taken
	over    bool            // the capture ended by StopAfter: what still comes is left

	codecs codecBytes // of the records in pending

	reshape  func(format.TopicPartition, *format.Record) (bool, error) // of the chunk being written; nil: records stay as they are
	reshaped format.Record

	counter *counter
	report  *PartitionReport
	began   int64 // where the run began with the partition
}

// errOver says that StopAfter left out a record.
var errOver = errors.New("stop-after is reached")

func newLane(r *run, w work) *lane {
	l := &lane{
		work: w, run: r, base: w.from, next: w.from, began: w.from,
		inbox: make(chan chunk, 1), cut: make(chan struct{}, 1), due: make(chan struct{}, 1),
		decoder: decoder{tp: w.tp, skipCorrupt: r.settings.SkipCorrupt, committed: r.settings.Isolation == origin.ReadCommitted, decompressor: r.decompressor},
		counter: r.progress.counter(w.tp.Topic), report: r.report(w),
		rotate: time.NewTimer(math.MaxInt64),
	}
	l.rotate.Stop()
	return l
}

// take takes chunks until the source closes the inbox. An error is either the archive's or a *PartitionError.
func (l *lane) take() error {
	defer l.discard()
	defer l.rotate.Stop()
	l.run.source.add(l.work, l.inbox)
	for {
		if err := l.rest(); err != nil {
			return err
		}
		select {
		case c, ok := <-l.inbox:
			if !ok {
				return l.finish()
			}
			l.run.source.ready(l.tp)
			if err := l.accept(c); err != nil {
				return l.fail(err)
			}
		case <-l.rotate.C:
			if err := l.seal(l.next); err != nil {
				return err
			}
		case <-l.cut:
			if err := l.endRowGroup(); err != nil {
				return err
			}
		case <-l.due:
			if err := l.seal(l.next); err != nil {
				return err
			}
		case <-l.tenure.end():
			return l.giveUp()
		}
	}
}

// rest writes what is encoded when nothing waits to be taken: with many lanes their memory would add up. A few lanes are faster
// when encoding goes on meanwhile.
func (l *lane) rest() error {
	if l.run.active.Load() <= DefaultLanes || len(l.inbox) > 0 || l.pending == nil {
		return nil
	}
	return l.pending.Flush()
}

// fail keeps, in a follow capture, what came before a batch that cannot be read.
func (l *lane) fail(err error) error {
	if !isA[*PartitionError](err) || !l.settings().Follow || l.pending == nil {
		return err
	}
	if sealing := l.seal(l.pending.Position()); sealing != nil {
		return fmt.Errorf("%w; before that: %v", sealing, err) // it is of the archive, and ends the capture
	}
	return err
}

func (l *lane) settings() *settings { return l.run.settings }

// accept writes a chunk.
func (l *lane) accept(c chunk) error {
	if c.response != nil {
		defer c.response.release()
	}
	if l.over {
		return nil
	}
	if err := l.awaitRoom(); err != nil {
		return err
	}
	err := l.write(c)
	switch {
	case errors.Is(err, errOver):
		l.over = true
		l.next = max(l.next, l.position())
	case err != nil:
		return err
	default:
		l.next = c.next
	}
	l.count()
	return l.account()
}

// write gives the archive what a chunk holds.
func (l *lane) write(c chunk) error {
	if c.gap != nil {
		if err := l.open(); err != nil {
			return err
		}
		return l.pending.Gap(*c.gap)
	}
	if c.part == nil {
		return nil
	}
	until := l.end
	if until == noEnd {
		until = math.MaxInt64
	}
	if s := l.settings(); s.Reshape != nil {
		apply, end := s.Reshape.Begin(reshaping.Use{})
		l.reshape = apply
		defer end()
	}
	err := l.decoder.decode(c.part, c.legacy, l.next, until, l)
	if c.legacy && isUnreadable(err) && l.settings().SkipCorrupt {
		return l.lost(l.next, min(c.next, until))
	}
	return err
}

// position is the first offset that was not written.
func (l *lane) position() int64 {
	if l.pending == nil {
		return l.base
	}
	return l.pending.Position()
}

// record and control make the lane a sink.
func (l *lane) record(r *format.Record) error {
	if err := l.see(r); err != nil {
		return err
	}
	if l.reshape != nil {
		l.reshaped = *r // the decoder goes on with r
		r = &l.reshaped
		stays, err := l.reshape(l.tp, r)
		if err != nil {
			return &PartitionError{l.tp, r.Offset, err}
		}
		if !stays {
			return l.skip(r.Offset, r.LeaderEpoch, ledger.Filtered)
		}
	}
	if !l.run.quota.take(r) {
		return errOver
	}
	if err := l.open(); err != nil {
		return err
	}
	before := l.pending.Bytes()
	if err := l.pending.Write(r); err != nil {
		return err
	}
	l.codecs[l.decoder.codec] += l.pending.Bytes() - before
	if l.full() {
		return l.seal(r.Offset + 1)
	}
	return nil
}

// lost records offsets that cannot be read, but for those that were.
func (l *lane) lost(from, until int64) error {
	if err := l.open(); err != nil {
		return err
	}
	from = max(from, l.next, l.position())
	if l.end != noEnd {
		until = min(until, l.end)
	}
	if from >= until {
		return nil
	}
	return l.pending.Gap(ledger.Gap{From: from, Until: until, Reason: ledger.Corrupt})
}

func (l *lane) control(offset int64, epoch int32) error {
	return l.skip(offset, epoch, ledger.Control)
}

func (l *lane) skip(offset int64, epoch int32, why ledger.Reason) error {
	if err := l.open(); err != nil {
		return err
	}
	return l.pending.Skip(offset, epoch, why)
}

// open starts a segment where the one before ended, if none is being written.
func (l *lane) open() error {
	if l.pending != nil {
		return nil
	}
	p, err := l.run.archive.NewSegment(format.WriterOptions{
		Topic: l.tp.Topic, Partition: l.tp.Partition, Base: l.base, Source: l.source,
		Encoding: l.run.encoding, Compression: l.settings().Compression, Encoders: l.run.encoders,
	})
	if err != nil {
		return fmt.Errorf("start segment of %s at %d: %w", l.tp, l.base, err)
	}
	l.pending = p
	if l.settings().Follow {
		l.rotate.Reset(l.settings().RotateInterval)
	}
	return nil
}

// full is the rule that ends segments. It looks at nothing but what was written.
func (l *lane) full() bool {
	s := l.settings()
	return l.pending.Bytes() >= s.RotateBytes || s.RotateRecords > 0 && l.pending.Records() >= s.RotateRecords || l.pending.Full()
}

// seal ends the segment, which then covers the offsets below next.
func (l *lane) seal(next int64) error {
	if l.pending == nil {
		return nil
	}
	l.rotate.Stop()
	if err := l.run.keepSchemas(); err != nil {
		return err
	}
	defer l.run.sealing()()
	segment, doc, err := l.pending.Seal(next)
	if err != nil {
		return fmt.Errorf("seal segment of %s at %d: %w", l.tp, l.base, err)
	}
	l.pending, l.base, l.next = nil, next, max(l.next, next)
	l.run.assignment.sealed(l.tp, next)
	l.report.add(segment, doc)
	l.counter.seal(doc.Records)
	l.forget()
	return l.run.count(l.tp.Topic, &l.codecs)
}

func (l *lane) endRowGroup() error {
	if l.pending == nil {
		return nil
	}
	return l.pending.Cut()
}

// count tells the progress what was taken by now.
func (l *lane) count() {
	records, bytes := l.report.Records, l.report.Bytes
	if l.pending != nil {
		records, bytes = records+l.pending.Records(), bytes+l.pending.Bytes()
	}
	l.counter.set(l.tp.Partition, records, bytes, l.began, l.next)
}

// account keeps a follow capture within its memory, and within its spool.
func (l *lane) account() error {
	if !l.settings().Follow || l.pending == nil {
		return nil
	}
	if fullest := l.run.memory.set(l, l.pending.Buffered()); fullest == l {
		if err := l.endRowGroup(); err != nil {
			return err
		}
	} else if fullest != nil {
		signal(fullest.cut)
	}
	if l.run.spool != nil {
		l.run.spool.set(l, l.pending.Written()+l.pending.Buffered())
	}
	return nil
}

// awaitRoom waits while the spool is full, and seals meanwhile if that is asked for.
func (l *lane) awaitRoom() error {
	for l.run.spool != nil {
		freed := l.run.spool.full()
		if freed == nil {
			return nil
		}
		select {
		case <-freed:
		case <-l.due:
			if err := l.seal(l.next); err != nil {
				return err
			}
		case <-l.tenure.end():
			return nil
		case <-l.run.fetching.Done():
			return nil
		}
	}
	return nil
}

// forget gives back what the segment took.
func (l *lane) forget() {
	l.run.memory.set(l, 0)
	if l.run.spool != nil {
		l.run.spool.set(l, 0)
		select {
		case <-l.due: // it was of this segment
		default:
		}
	}
}

// giveUp seals what there is of a partition that another member gets, if there is time for it.
func (l *lane) giveUp() error {
	l.run.source.quit(l.tp, l.inbox)
	if l.tenure.isLost() {
		return nil
	}
	return l.seal(l.next)
}

// finish seals what is complete: a snapshot that came to its end, a follow capture wherever it is.
func (l *lane) finish() error {
	if l.end == noEnd {
		return l.seal(l.next)
	}
	if l.next < l.end {
		return nil
	}
	if l.base < l.end {
		if err := l.open(); err != nil {
			return err
		}
	}
	return l.seal(l.end)
}

// discard drops a segment that was not sealed.
func (l *lane) discard() {
	if l.pending != nil {
		l.counter.drop(l.pending.Records(), l.pending.Bytes())
		l.pending.Discard()
		l.pending, l.codecs = nil, codecBytes{}
		l.count()
		l.forget()
	}
}
