package format

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// segmentCheck is what was found in a segment file, and the SHA-256 of its bytes.
type segmentCheck struct {
	FileCheck
	sha256 string
}

// err is nil for a segment that is right.
func (c *segmentCheck) err() error { return c.FileCheck.Err() }

// checkSegment hashes a segment file, compares the hash if s has one, and checks the document against the file's place; deep: and every
// record against the document. It ends early, with half of the result, when stop says so; a nil stop never does.
func checkSegment(fsys storage.ReadFS, s Segment, deep bool, stop func() bool) segmentCheck {
	c := segmentCheck{FileCheck: FileCheck{Path: s.Path, Segment: &s}}
	f, size, err := openSized(fsys, s.Path)
	if err != nil {
		c.add("", err)
		return c
	}
	defer f.Close()
	if stop == nil {
		stop = func() bool { return false }
	}
	c.checkHash(f, size, stop)
	r, err := newReaderInArchive(f, size)
	if err != nil {
		c.add("footer", err)
		return c
	}
	c.Document = r.doc
	if err := s.checkPlace(r); err != nil {
		c.elsewhere = true
		c.add("footer", err)
	}
	var memory Buffer
	for i := 0; deep && i < len(c.Document.Groups) && !stop(); i++ {
		c.checkGroup(r, i, &memory)
	}
	return c
}

func (c *segmentCheck) checkHash(f io.ReaderAt, size int64, stop func() bool) {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, stoppable{io.NewSectionReader(f, 0, size), stop}, make([]byte, min(size+1, 256<<10))); err != nil {
		c.add("", err)
		return
	}
	c.sha256 = hex.EncodeToString(h.Sum(nil))
	if want := c.Segment.SHA256; want != "" && want != c.sha256 {
		c.add("", corruptf("its SHA-256 is %s, %s says %s", c.sha256, ondisk.Sums, want))
	}
}

// stoppable is a Reader that ends when it is told to.
type stoppable struct {
	io.Reader
	stop func() bool
}

func (s stoppable) Read(b []byte) (int, error) {
	if s.stop() {
		return 0, errors.New("stopped")
	}
	return s.Reader.Read(b)
}

func (c *segmentCheck) checkGroup(r *reader, i int, memory *Buffer) {
	_, err := r.readGroup(i, memory)
	if err == nil {
		return
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // readGroup names the row group too
	}
	c.BadGroups = append(c.BadGroups, i)
	c.add(fmt.Sprintf("row group %d", i), err)
}
