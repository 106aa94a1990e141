package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
)

// fenceName is the object that Probe makes. It stays, because another writer may be about to find it.
const fenceName = ".karchive-fence"

// FenceError is returned for a store that two writers would overwrite each other's objects in.
type FenceError struct {
	Name string // of the archive
	How  string // what it let through: an upload in one request or in parts
}

// Error names the archive, and what the store lets through.
func (e *FenceError) Error() string {
	return fmt.Sprintf("%s: the store lets an upload %s replace an object that was to be created only if it is not there: two writers would destroy each other's segments in it", e.Name, e.How)
}

// Probe finds out whether the store keeps a name from being given twice, with uploads in one request and in parts, which some stores
// treat differently. It makes an object .karchive-fence, of a few bytes, and leaves it. It is to be called before anything is written, and
// returns a *FenceError for a store that must not be written to.
func (s *Store) Probe() error {
	if err := s.probePut(); err != nil {
		return err
	}
	return s.probeParts()
}

// probePut creates the object, or finds it, and then tries to create it again with another content.
func (s *Store) probePut() error {
	for range 2 {
		err := s.Put(fenceName, []byte(rand.Text()), false)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("try whether the store creates an object only if it is not there: %w", err)
		}
	}
	return &FenceError{s.options.Name, "in one request"}
}

// probeParts tries to create the object again by an upload in parts. Where the vendor's client does not let us make one of a few bytes, uploads in parts are
// one request to the store in the end, and what probePut found holds for them.
func (s *Store) probeParts() error {
	complete := s.partsUpload(s.prefix + fenceName)
	if complete == nil {
		return nil
	}
	err := s.again("write", fenceName, answerLimit, &s.counters.put, func(ctx context.Context) error { return complete(ctx) })
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("try whether the store creates an object of parts only if it is not there: %w", err)
	}
	return &FenceError{s.options.Name, "in parts"}
}
