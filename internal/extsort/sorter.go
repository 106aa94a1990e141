// Package extsort sorts more than memory holds: what does not fit is written to a temporary file in sorted runs, which are merged.
package extsort

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/zeebo/xxh3"
)

// ErrDamaged is wrapped when the temporary file is not what was written.
var ErrDamaged = errors.New("the temporary file is damaged")

// Entry is what is sorted: by Key, as bytes.Compare has it.
type Entry struct{ Key, Data []byte }

// Sorter takes entries and then gives them back in order. Those with equal keys come in the order in which they were added. It is for one
// goroutine.
type Sorter struct {
	dir     string
	limit   int64
	memory  int64
	entries []Entry
	file    *os.File // nil: all is in memory
	runs    []run
	end     int64 // of the file
}

// run is where a sorted run lies in the file.
type run struct{ from, until int64 }

// entryBytes is what an entry costs in memory beyond its bytes.
const entryBytes = 96

// New returns a Sorter that holds about limit bytes in memory, and at least one entry. Its temporary file is made in dir (empty: that of the
// system) when it is needed, and has no name where the system allows that: a kill leaves nothing.
func New(dir string, limit int64) *Sorter { return &Sorter{dir: dir, limit: limit} }

// Add copies an entry.
func (s *Sorter) Add(key, data []byte) error {
	size := int64(len(key)+len(data)) + entryBytes
	if s.memory+size > s.limit && len(s.entries) > 0 {
		if err := s.spill(); err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
	}
	s.memory += size
	b := append(append(make([]byte, 0, len(key)+len(data)), key...), data...)
	s.entries = append(s.entries, Entry{b[:len(key):len(key)], b[len(key):]})
	return nil
}

func (s *Sorter) sort() {
	slices.SortStableFunc(s.entries, func(a, b Entry) int { return bytes.Compare(a.Key, b.Key) })
}

// headBytes is the head of an entry in the file: the lengths of key and data, and the hash of both.
const headBytes = 8 + 8 + 8

// spill writes what is in memory as a run.
func (s *Sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, ".karchive-sort-*"); err != nil {
			return err
		}
		os.Remove(s.file.Name()) // systems that keep what is open leave it to Close
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 1<<20)
	r := run{from: s.end}
	for i := range s.entries {
		s.end += s.entries[i].write(w)
	}
	r.until = s.end
	s.runs = append(s.runs, r)
	clear(s.entries)
	s.entries, s.memory = s.entries[:0], 0
	return w.Flush()
}

// write returns how many bytes it wrote. An error stays in w until Flush.
func (e *Entry) write(w *bufio.Writer) int64 {
	var head [headBytes]byte
	binary.LittleEndian.PutUint64(head[:], uint64(len(e.Key)))
	binary.LittleEndian.PutUint64(head[8:], uint64(len(e.Data)))
	binary.LittleEndian.PutUint64(head[16:], e.hash())
	w.Write(head[:])
	w.Write(e.Key)
	w.Write(e.Data)
	return headBytes + int64(len(e.Key)+len(e.Data))
}

// hash is of key and data, which lie in one piece of memory.
func (e *Entry) hash() uint64 { return xxh3.Hash(e.Key) ^ xxh3.HashSeed(e.Data, uint64(len(e.Key))+1) }

// Sorted begins to give the entries back. Nothing may be added any more.
func (s *Sorter) Sorted() (*Sorted, error) {
	if s.file == nil {
		s.sort()
		return &Sorted{entries: s.entries}, nil
	}
	if err := s.spill(); err != nil {
		return nil, fmt.Errorf("write temporary file: %w", err)
	}
	s.entries = nil
	return s.merge()
}

// Close removes the temporary file.
func (s *Sorter) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}

// reader returns the reader of a run. All of them share the memory that the entries had.
func (s *Sorter) reader(number int) *runReader {
	r := s.runs[number]
	size := min(max(s.limit/int64(len(s.runs)), 4<<10), 1<<20)
	return &runReader{number: number, left: r.until - r.from, in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.until-r.from), int(size))}
}
