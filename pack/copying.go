package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/karchive/karchive/format/storage"
)

// maxRootBytes bounds what is read of karchive.json and SHA256SUMS.
const maxRootBytes = 256 << 20

// copyBytes is how much is read at once, between two looks at the context.
const copyBytes = 256 << 10

// digests are what a packed file says about each file in it.
type digests struct {
	sha hash.Hash
	crc hash.Hash32
}

func newDigests() digests { return digests{sha256.New(), crc32.NewIEEE()} }

func (d digests) sha256() string { return hex.EncodeToString(d.sha.Sum(nil)) }

func readFile(fsys storage.ReadFS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil && size > maxRootBytes {
		err = fmt.Errorf("%s has %d bytes, more than the %d that it may have", name, size, maxRootBytes)
	}
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	_, err = io.ReadFull(io.NewSectionReader(f, 0, size), content)
	return content, err
}

// copyFile writes the first size bytes of a file.
func copyFile(ctx context.Context, w io.Writer, fsys storage.ReadFS, name string, size int64) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := copyRange(ctx, w, f, 0, size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func copyRange(ctx context.Context, w io.Writer, r io.ReaderAt, from, size int64) error {
	buffer := make([]byte, min(size, copyBytes))
	for done := int64(0); done < size; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		part := buffer[:min(size-done, int64(len(buffer)))]
		if n, err := r.ReadAt(part, from+done); n < len(part) {
			return fmt.Errorf("read at byte %d: %w", from+done, unexpected(err))
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		done += int64(len(part))
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
