package imports

import (
	"encoding/binary"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/canonical"
	"github.com/karchive/karchive/internal/extsort"
)

// key is the order of records in an archive.
type key struct {
	topic     int32 // its number
	partition int32
	offset    int64
}

// filePlace is where a record was read.
type filePlace struct {
	file int32
	line int64
}

// entry is a record in the spool.
type entry struct {
	key
	filePlace
	filtered bool // rules left it out; nothing of it is kept but its leader epoch
	data     []byte
}

// spool sorts records in bounded memory. Records with equal keys come in the order in which they were added.
type spool struct {
	sorter *extsort.Sorter
	buf    []byte
}

func newSpool(dir string, limit int64) *spool { return &spool{sorter: extsort.New(dir, limit)} }

const (
	keyBytes       = 4 + 4 + 8 // topic, partition, offset, none of them negative: big endian sorts as the numbers do
	filePlaceBytes = 4 + 8 + 1 // file, line, filtered; the canonical bytes follow
)

// add copies r.
func (s *spool) add(k key, at filePlace, filtered bool, r *format.Record) error {
	b := binary.BigEndian.AppendUint32(s.buf[:0], uint32(k.topic))
	b = binary.BigEndian.AppendUint32(b, uint32(k.partition))
	b = binary.BigEndian.AppendUint64(b, uint64(k.offset))
	b = binary.BigEndian.AppendUint32(b, uint32(at.file))
	b = binary.BigEndian.AppendUint64(b, uint64(at.line))
	flag := byte(0)
	if filtered {
		flag = 1
	}
	s.buf = format.AppendCanonical(append(b, flag), r)
	return s.sorter.Add(s.buf[:keyBytes], s.buf[keyBytes:])
}

func decodeEntry(e extsort.Entry) entry {
	be := binary.BigEndian
	return entry{
		key:       key{int32(be.Uint32(e.Key)), int32(be.Uint32(e.Key[4:])), int64(be.Uint64(e.Key[8:]))},
		filePlace: filePlace{int32(be.Uint32(e.Data)), int64(be.Uint64(e.Data[4:]))},
		filtered:  e.Data[12] == 1,
		data:      e.Data[filePlaceBytes:],
	}
}

// each calls do for all entries in order. An entry is do's during the call.
func (s *spool) each(do func(*entry) error) error {
	sorted, err := s.sorter.Sorted()
	if err != nil {
		return err
	}
	for {
		next, err := sorted.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		e := decodeEntry(next)
		if err := do(&e); err != nil {
			return err
		}
	}
}

// close removes the temporary file.
func (s *spool) close() error { return s.sorter.Close() }

// record is the entry's, into whose bytes it points.
func (e *entry) record() (format.Record, error) { return canonical.Decode(e.data) }
