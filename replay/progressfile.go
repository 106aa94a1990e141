package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// progressVersion is the version of a progress file. Another one is refused.
const progressVersion = 1

// progressFile is a Checkpoint in a JSON file.
type progressFile struct{ name string }

// NewProgressFile returns a checkpoint in the JSON file called name, which need not exist. Its directory must. Save replaces the file as a
// whole: at any moment it is the old state or the new one. Two replays must not share one at the same time.
func NewProgressFile(name string) Checkpoint { return &progressFile{name: name} }

type progressDocument struct {
	Version int `json:"karchive_progress"`
	*State
}

// Load reads the file; one that is not there is no state.
func (f *progressFile) Load(context.Context) (*State, error) {
	text, err := os.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	var doc progressDocument
	if err := json.Unmarshal(text, &doc); err != nil || doc.Version == 0 || doc.State == nil {
		return nil, fmt.Errorf("%s is not a progress file of a replay", f.name)
	}
	if doc.Version != progressVersion {
		return nil, fmt.Errorf("progress file %s has version %d, this program reads %d", f.name, doc.Version, progressVersion)
	}
	return doc.State, nil
}

// Save writes a file beside the old one, makes it durable, and puts it in the old one's place.
func (f *progressFile) Save(_ context.Context, s *State) error {
	text, err := json.MarshalIndent(progressDocument{progressVersion, s}, "", "  ")
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	dir, base := filepath.Split(f.name)
	temporary, err := os.CreateTemp(filepath.Clean(dir+"."), "."+base+".*")
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	_, err = temporary.Write(append(text, '\n'))
	// Synced before the rename, or a crash could leave the new name with no contents.
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.name)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fmt.Errorf("save progress: %w", err)
	}
	return nil
}
