package format

import (
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// Coverage is what an archive has of one partition: the offsets [From, Next), all of them answered for.
type Coverage struct {
	From           int64 // first covered offset
	Next           int64 // first offset after the covered ones
	Segments       int
	RowGroups      int
	Records        int64
	Bytes          int64 // canonical bytes of the records
	DiskBytes      int64 // size of the segment files
	MinTimestampMs int64 // of the records; NoTimestamp when there are none
	MaxTimestampMs int64
	Ledger         ledger.Ledger
	Source         origin.Source // of every segment of the partition
}

// Coverage adds up the documents of partition tp's segments and checks that they adjoin. A partition without a segment gives
// fs.ErrNotExist, but for one of an archive from OpenIntact that is known to have had some.
func (a *Archive) Coverage(tp TopicPartition) (Coverage, error) {
	return a.coverage(tp, a.list(tp))
}

// coverage is that of a list of the segments of a partition, which stand one after the other.
func (a *Archive) coverage(tp TopicPartition, list []Segment) (Coverage, error) {
	known, damaged := a.damage.knownOf(tp)
	if len(list) == 0 && !damaged {
		return Coverage{}, fmt.Errorf("coverage of %s: %w", tp, fs.ErrNotExist)
	}
	c := Coverage{From: known.from, MinTimestampMs: NoTimestamp, MaxTimestampMs: NoTimestamp}
	if !damaged {
		c.From = list[0].Base
	}
	c.Next = c.From
	walk := segmentWalk{archive: a, rest: list, document: a.documentsAhead(list)}
	for {
		s, d, err := walk.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Coverage{}, err
		}
		if g, ok := a.hole(s, c.Next); ok {
			c.lose(g)
		}
		c.add(s, d)
	}
	if known.until > c.Next {
		c.lose(ledger.Gap{From: c.Next, Until: known.until, Reason: ledger.Corrupt})
	}
	return c, nil
}

// documentsAtOnce bounds the documents that Coverage has in memory.
const documentsAtOnce = 256

// documentsAhead gives the documents of a list, in its order, and reads several at a time.
func (a *Archive) documentsAhead(list []Segment) func(Segment) (*Document, error) {
	var read []*Document
	return func(Segment) (d *Document, err error) {
		if len(read) == 0 {
			n := min(len(list), documentsAtOnce)
			if read, err = a.readDocuments(list[:n]); err != nil {
				return nil, err
			}
			list = list[n:]
		}
		d, read = read[0], read[1:]
		return d, nil
	}
}

// readDocuments reads the documents of segments, several at a time.
func (a *Archive) readDocuments(list []Segment) ([]*Document, error) {
	docs := make([]*Document, len(list))
	var g errgroup.Group
	g.SetLimit(a.parallel())
	for i, s := range list {
		g.Go(func() (err error) {
			docs[i], err = a.Document(s)
			return err
		})
	}
	return docs, g.Wait()
}

// parallel is how many documents are worth to be read at once: a place that is far away says more than there are processors.
func (a *Archive) parallel() int {
	if far, ok := a.fsys.(interface{ Parallel() int }); ok {
		return far.Parallel()
	}
	return runtime.GOMAXPROCS(0)
}

// readAhead reads the documents of partitions, so that they are known when they are asked for one after the other. Where reading one is as quick as that, it does
// nothing; what cannot be read is for whoever asks for it.
func (a *Archive) readAhead(tps []TopicPartition, list func(TopicPartition) []Segment) {
	if _, far := a.fsys.(interface{ Parallel() int }); !far {
		return
	}
	var all []Segment
	for _, tp := range tps {
		all = append(all, list(tp)...)
	}
	for part := range slices.Chunk(all, documentsAtOnce) {
		a.readDocuments(part)
	}
}

// lose adds a gap between segments.
func (c *Coverage) lose(g ledger.Gap) {
	c.Next = g.Until
	c.Ledger.AddGap(g)
}

// add adds the next segment of the partition.
func (c *Coverage) add(s Segment, d *Document) {
	c.addTimes(d)
	c.Next, c.Source = d.NextOffset, d.Source
	c.Segments++
	c.RowGroups += len(d.Groups)
	c.Records += d.Records
	c.Bytes += d.Bytes
	c.DiskBytes += s.Size
	left := d.Ledger()
	c.Ledger.Add(&left)
}

func (c *Coverage) addTimes(d *Document) {
	for i := range d.Groups {
		g := &d.Groups[i]
		if c.Records == 0 && i == 0 {
			c.MinTimestampMs, c.MaxTimestampMs = g.MinTimestampMs, g.MaxTimestampMs
		}
		c.MinTimestampMs = min(c.MinTimestampMs, g.MinTimestampMs)
		c.MaxTimestampMs = max(c.MaxTimestampMs, g.MaxTimestampMs)
	}
}

// checkSameSource refuses segments of one partition that come from different logs, or from one that was read in different ways.
func checkSameSource(before, now origin.Source) error {
	if before != now {
		return corruptf("its source is %s, that of the segment before it %s", now, before)
	}
	return nil
}
