package ondisk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

var (
	// ErrCorrupt is wrapped by every error about bytes that are not what was written.
	ErrCorrupt = errors.New("corrupt")
	// ErrNotArchive is wrapped for a directory or file that holds no archive.
	ErrNotArchive = errors.New("not a karchive archive")
	// ErrForeignFile is wrapped for a file that is not of the archive that it lies in.
	ErrForeignFile = errors.New("not a file of karchive")
	// ErrTooLarge is wrapped for what is beyond a limit of the format.
	ErrTooLarge = errors.New("too large")
)

// Corruptf is an error that wraps ErrCorrupt and says no more than its text.
func Corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// ReadFull fills b. A file that ends early is corrupt; any other error is the file system's.
func ReadFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return Corruptf("file ends at %d, expected %d bytes from %d", at+int64(n), len(b), at)
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), at, err)
}

// Digest is the digest of b that segments and karchive.json carry: XXH3-128 with seed 0, as 32 hex digits, most significant byte first.
func Digest(b []byte) string {
	sum := xxh3.Hash128(b).Bytes()
	return hex.EncodeToString(sum[:])
}
