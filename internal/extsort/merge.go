package extsort

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
)

// Sorted gives entries in order.
type Sorted struct {
	entries []Entry // of a sort in memory
	runs    runHeap
	taken   *runReader // whose entry was given last
}

// Next returns the next entry; io.EOF after the last. It is valid until the next call.
func (s *Sorted) Next() (Entry, error) {
	if s.taken != nil {
		if err := s.advance(); err != nil {
			return Entry{}, err
		}
	}
	switch {
	case len(s.runs) > 0:
		s.taken = s.runs[0]
		return s.taken.entry, nil
	case len(s.entries) > 0:
		e := s.entries[0]
		s.entries = s.entries[1:]
		return e, nil
	}
	return Entry{}, io.EOF
}

// advance goes on in the run whose entry was given.
func (s *Sorted) advance() error {
	err := s.taken.next()
	s.taken = nil
	switch err {
	case nil:
		heap.Fix(&s.runs, 0)
		return nil
	case io.EOF:
		heap.Pop(&s.runs)
		return nil
	}
	return fmt.Errorf("read temporary file: %w", err)
}

func (s *Sorter) merge() (*Sorted, error) {
	m := &Sorted{}
	for i := range s.runs {
		r := s.reader(i)
		switch err := r.next(); err {
		case nil:
			m.runs = append(m.runs, r)
		case io.EOF:
		default:
			return nil, fmt.Errorf("read temporary file: %w", err)
		}
	}
	heap.Init(&m.runs)
	return m, nil
}

// runReader goes through a run.
type runReader struct {
	number int
	in     *bufio.Reader
	left   int64 // bytes of the run
	entry  Entry
	buf    []byte
}

// next reads an entry; io.EOF at the end of the run.
func (r *runReader) next() error {
	if r.left == 0 {
		return io.EOF
	}
	var head [headBytes]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return noEOF(err)
	}
	le := binary.LittleEndian
	key, data, hash := le.Uint64(head[:]), le.Uint64(head[8:]), le.Uint64(head[16:])
	r.left -= headBytes
	if left := uint64(r.left); key > left || data > left-key {
		return ErrDamaged
	}
	r.left -= int64(key + data)
	if uint64(cap(r.buf)) < key+data {
		r.buf = make([]byte, key+data)
	}
	r.buf = r.buf[:key+data]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return noEOF(err)
	}
	r.entry = Entry{r.buf[:key:key], r.buf[key:]}
	if r.entry.hash() != hash {
		return ErrDamaged
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// runHeap has the run with the first entry at its top. Of equal keys that of the earlier run is first.
type runHeap []*runReader

func (h runHeap) Len() int      { return len(h) }
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*runReader)) }

func (h runHeap) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].entry.Key, h[j].entry.Key), cmp.Compare(h[i].number, h[j].number)) < 0
}

func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
