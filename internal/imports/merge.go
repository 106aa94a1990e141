package imports

import (
	"bufio"
	"cmp"
	"container/heap"
	"fmt"
	"io"
)

// runReader goes through a run.
type runReader struct {
	number int
	in     *bufio.Reader
	head   [headBytes]byte
	entry  entry
}

// next reads an entry. The error is io.EOF at the end of the run.
func (r *runReader) next() error {
	if _, err := io.ReadFull(r.in, r.head[:]); err != nil {
		return err
	}
	n := r.entry.decode(r.head[:])
	if int64(cap(r.entry.data)) < n {
		r.entry.data = make([]byte, n)
	}
	r.entry.data = r.entry.data[:n]
	_, err := io.ReadFull(r.in, r.entry.data)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// runHeap has the run with the first entry at its top. Of equal keys that of the earlier run is first.
type runHeap []*runReader

func (h runHeap) Len() int      { return len(h) }
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*runReader)) }

func (h runHeap) Less(i, j int) bool {
	return cmp.Or(h[i].entry.key.compare(h[j].entry.key), cmp.Compare(h[i].number, h[j].number)) < 0
}

func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge goes through all runs at once.
func (s *spool) merge(do func(*entry) error) error {
	var h runHeap
	for i := range s.runs {
		r := s.reader(i)
		switch err := r.next(); {
		case err == nil:
			h = append(h, r)
		case err != io.EOF:
			return fmt.Errorf("read temporary file: %w", err)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := do(&h[0].entry); err != nil {
			return err
		}
		switch err := h[0].next(); {
		case err == nil:
			heap.Fix(&h, 0)
		case err == io.EOF:
			heap.Pop(&h)
		default:
			return fmt.Errorf("read temporary file: %w", err)
		}
	}
	return nil
}
