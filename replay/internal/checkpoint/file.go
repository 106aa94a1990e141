package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File keeps a document in a file of this name.
type File string

// Load reads the file; one that is not there is nothing. A file that is no document is refused by its name, so that it is not replaced.
func (f File) Load(context.Context) ([]byte, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = Decode(text)
	}
	if err != nil {
		return nil, fmt.Errorf("read progress: %s: %w", f, err)
	}
	return text, nil
}

// Save writes a file beside the old one, makes it durable, and puts it in the old one's place.
func (f File) Save(_ context.Context, document []byte) error {
	dir, base := filepath.Split(string(f))
	temporary, err := os.CreateTemp(filepath.Clean(dir+"."), "."+base+".*")
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	_, err = temporary.Write(document)
	// Synced before the rename, or a crash could leave the new name with no contents.
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), string(f))
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fmt.Errorf("save progress: %w", err)
	}
	return nil
}
