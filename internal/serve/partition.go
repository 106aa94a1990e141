package serve

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// partition is a partition of an archived topic.
type partition struct {
	source     *Source
	tp         format.TopicPartition // in the archive
	topic      string                // that it is served as
	start, end int64                 // offsets that it is served from and to, when the server begins
	epoch      int32                 // of its last record

	high      atomic.Int64 // see watermark
	shiftMs   atomic.Int64 // between two rounds of a schedule
	scheduled atomic.Bool  // the watermark still rises
	bells                  // of the watermark
	pruned    atomic.Int64 // all before this offset was pruned since the server began

	fetched atomic.Int64 // the highest offset that was asked for: all before it have been delivered

	ahead  atomic.Bool // a row group is decoded that nobody asked for yet
	decode sync.Mutex  // one row group of a partition is decoded at a time
	blocks []*block    // guarded by the cache's mutex

	told map[string]struct{} // what was said to be wrong; guarded by the cache's mutex
}

// block is a row group that is ready to be fetched.
type block struct {
	partition *partition
	lo, hi    int64 // the offsets that it answers for, inclusive
	group     int64 // first offset of the row group; -1: there is none
	batches   []batch
	size      int64
	finished  bool  // somebody read it to its end
	used      int64 // how many blocks had been put into the cache when it was asked for last
	err       error // why it cannot be read; batches are then empty
}

// place is a row group and the offsets up to the next one.
type place struct {
	format.Place
	hi int64
}

// locate finds the row group that answers for an offset; io.EOF when there is none from there on.
func (p *partition) locate(offset int64) (place, error) {
	window := p.source.Window
	window.FromOffset = max(p.start, offset)
	found, err := p.source.Archive.Walk(p.tp, window).Next()
	if err != nil {
		return place{}, err
	}
	window.FromOffset = max(p.start, found.Group().FirstOffset) // all of it
	walk := p.source.Archive.Walk(p.tp, window)
	if found, err = walk.Next(); err != nil {
		return place{}, err
	}
	return place{found, p.upTo(&found, walk)}, nil
}

// upTo is the last offset before the row group behind a place.
func (p *partition) upTo(at *format.Place, walk *format.Walk) int64 {
	next, err := walk.Next()
	hi := at.Document.NextOffset - 1
	switch {
	case err == nil:
		hi = next.Group().FirstOffset - 1
	case err == io.EOF:
		hi = p.end - 1
	}
	return min(hi, p.end-1)
}

// read decodes what is served of a row group.
func (p *partition) read(at *place, d *decoder) ([]format.Record, error) {
	records, err := d.reader(p.source.Archive).Read(&at.Place, &d.buffer)
	if err != nil || p.source.Rules == nil {
		return records, err
	}
	return p.reshape(records)
}

// reshape applies the rules to records, in their memory.
func (p *partition) reshape(records []format.Record) ([]format.Record, error) {
	apply, end := p.source.Rules.Begin(reshaping.Use{Keep: true})
	defer end()
	kept := records[:0]
	for i := range records {
		r := records[i]
		stays, err := apply(p.tp, &r)
		if err != nil {
			return nil, fmt.Errorf("%s, offset %d: %w", p.tp, r.Offset, err)
		}
		if stays {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// decoder is what row groups are decoded with, one at a time.
type decoder struct {
	buffer  format.Buffer
	readers map[*format.Archive]*format.GroupReader
}

const openSegments = 2

func (d *decoder) reader(a *format.Archive) *format.GroupReader {
	if d.readers == nil {
		d.readers = map[*format.Archive]*format.GroupReader{}
	}
	if d.readers[a] == nil {
		d.readers[a] = a.NewGroupReader(openSegments)
	}
	return d.readers[a]
}

func (d *decoder) close() {
	for _, r := range d.readers {
		r.Close()
	}
}
