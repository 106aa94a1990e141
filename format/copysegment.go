package format

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/internal/ondisk"
)

// checkFile hashes the file of a segment and compares the hash with SHA256SUMS, and its document with its place. It decodes nothing. A
// segment without a line in SHA256SUMS is checked down to the last record.
func (a *Archive) checkFile(s Segment) error {
	c := checkSegment(a.fsys, s, s.SHA256 == "", nil)
	a.bytesRead.Add(s.Size)
	return c.err()
}

// CopySegment adds a segment of another archive as the file that it is, whose bytes are checked against its SHA-256 on the way. The segment
// must continue its partition, as in NewSegment. One without a line in SHA256SUMS is checked down to the last record first. OnBytes, if not
// nil, is called for each part that was copied; its error ends the copy, and is returned.
func (a *Archive) CopySegment(from *Archive, s Segment, onBytes func(n int) error) (*Document, error) {
	d, err := from.footer(s)
	if err != nil {
		return nil, err
	}
	if newerVersion(d.Version) {
		return nil, versionError(s.Path, d.Version)
	}
	if s.SHA256 == "" {
		if err := from.checkFile(s); err != nil {
			return nil, err
		}
	}
	p, err := a.NewSegment(WriterOptions{Topic: s.Topic, Partition: s.Partition, Base: s.Base, Source: d.Source, Encoding: s.encoding()})
	if err != nil {
		return nil, err
	}
	defer p.Discard() // does nothing after sealed
	_, d, err = p.sealed(func() (*Document, error) { return d, p.copyFile(from, s, onBytes) })
	return d, err
}

// copyFile fills the temporary file with that of a segment.
func (p *Pending) copyFile(from *Archive, s Segment, onBytes func(n int) error) error {
	f, size, err := openSized(from.fsys, s.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	part := make([]byte, 1<<20)
	for r := io.NewSectionReader(countedFile{f, &from.bytesRead}, 0, size); ; {
		n, err := io.ReadFull(r, part)
		if _, err := p.temp.Write(part[:n]); err != nil {
			return err
		}
		if onBytes != nil && n > 0 {
			if err := onBytes(n); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if got := p.temp.sha256(); s.SHA256 != "" && got != s.SHA256 {
		return fmt.Errorf("%s: %w", s.Path, corruptf("its SHA-256 is %s, %s says %s", got, ondisk.Sums, s.SHA256))
	}
	return nil
}
