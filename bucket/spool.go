package bucket

import (
	"fmt"
	"os"

	"github.com/karchive/karchive/format/storage"
)

// SpoolPrefix begins the names of the files that are not uploaded yet. What a killed process leaves of them is of no use to anybody: what
// they hold is in Kafka, or in the archive that was copied.
const SpoolPrefix = "karchive-spool-"

// Spool implements storage.Store.
func (s *Store) Spool() (storage.File, error) {
	f, err := os.CreateTemp(s.options.Spool, SpoolPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a file to collect a segment in: %w", err)
	}
	spooled := &spoolFile{File: f}
	// Where a file can lose its name while it is open, nothing is left of it whatever becomes of this process.
	spooled.unnamed = os.Remove(f.Name()) == nil
	return spooled, nil
}

// spoolFile is a file that nobody sees. It is made anew by whoever needs it, so it is never synced.
type spoolFile struct {
	*os.File
	unnamed bool
}

// Size implements storage.ReadFile.
func (f *spoolFile) Size() (int64, error) {
	i, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}

// Sync does nothing: what is in the file counts when it was uploaded.
func (f *spoolFile) Sync() error { return nil }

// Close closes and removes the file.
func (f *spoolFile) Close() error {
	err := f.File.Close()
	if !f.unnamed {
		os.Remove(f.Name())
	}
	return err
}
