package imports

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/karchive/karchive/format"
)

// key is the order of records in an archive.
type key struct {
	topic     int32 // its number
	partition int32
	offset    int64
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.topic, o.topic), cmp.Compare(k.partition, o.partition), cmp.Compare(k.offset, o.offset))
}

// origin is where a record was read.
type origin struct {
	file int32
	line int64
}

// entry is a record in the spool.
type entry struct {
	key
	origin
	filtered bool // rules left it out; nothing of it is kept but its leader epoch
	data     []byte
}

// spool sorts records in bounded memory: what does not fit is written to a temporary file in sorted runs, which are merged. Records with
// equal keys come in the order in which they were added.
type spool struct {
	dir   string // for the temporary file
	limit int64  // bytes in memory

	memory  int64
	entries []entry
	file    *os.File // nil: all is in memory
	runs    []run
	end     int64 // of the file
}

// run is where a sorted run lies in the file.
type run struct{ from, until int64 }

// entryBytes is what a record costs in memory beyond its bytes.
const entryBytes = 96

// add copies r.
func (s *spool) add(k key, at origin, filtered bool, r *format.Record) error {
	size := format.CanonicalSize(r)
	if s.memory+size+entryBytes > s.limit && len(s.entries) > 0 {
		if err := s.spill(); err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
	}
	s.memory += size + entryBytes
	s.entries = append(s.entries, entry{k, at, filtered, format.AppendCanonical(make([]byte, 0, size), r)})
	return nil
}

func (s *spool) sort() {
	slices.SortStableFunc(s.entries, func(a, b entry) int { return a.key.compare(b.key) })
}

// The head of an entry in the file: topic, partition, offset, file, line, filtered, length.
const headBytes = 4 + 4 + 8 + 4 + 8 + 1 + 8

// spill writes what is in memory as a run.
func (s *spool) spill() (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, ".karchive-spool-*"); err != nil {
			return err
		}
		os.Remove(s.file.Name()) // whatever ends the process; systems that keep what is open leave it to close
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 1<<20)
	r := run{from: s.end}
	head := make([]byte, headBytes)
	for i := range s.entries {
		e := &s.entries[i]
		e.encode(head)
		w.Write(head)
		w.Write(e.data) // an error sticks until Flush
		s.end += headBytes + int64(len(e.data))
	}
	r.until = s.end
	s.runs = append(s.runs, r)
	clear(s.entries)
	s.entries, s.memory = s.entries[:0], 0
	return w.Flush()
}

func (e *entry) encode(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, uint32(e.topic))
	le.PutUint32(b[4:], uint32(e.partition))
	le.PutUint64(b[8:], uint64(e.offset))
	le.PutUint32(b[16:], uint32(e.file))
	le.PutUint64(b[20:], uint64(e.line))
	b[28] = 0
	if e.filtered {
		b[28] = 1
	}
	le.PutUint64(b[29:], uint64(len(e.data)))
}

// decode reads a head and returns the length of what follows.
func (e *entry) decode(b []byte) int64 {
	le := binary.LittleEndian
	e.topic, e.partition, e.offset = int32(le.Uint32(b)), int32(le.Uint32(b[4:])), int64(le.Uint64(b[8:]))
	e.file, e.line = int32(le.Uint32(b[16:])), int64(le.Uint64(b[20:]))
	e.filtered = b[28] == 1
	return int64(le.Uint64(b[29:]))
}

// each calls do for all entries in order. An entry is do's during the call.
func (s *spool) each(do func(*entry) error) error {
	if s.file == nil {
		s.sort()
		for i := range s.entries {
			if err := do(&s.entries[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	return s.merge(do)
}

// close removes the temporary file.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}

// reader returns the reader of a run. All of them share the memory that the entries had.
func (s *spool) reader(number int) *runReader {
	r := s.runs[number]
	size := min(max(s.limit/int64(len(s.runs)), 4<<10), 1<<20)
	return &runReader{number: number, in: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.until-r.from), int(size))}
}
