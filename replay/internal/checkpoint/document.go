package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/karchive/karchive/internal/printable"
)

// documentVersion is the version of documents. Another one is refused.
const documentVersion = 1

// errForeign is met in what no replay has saved.
var errForeign = errors.New("it is not the progress of a replay")

type document struct {
	Version int `json:"karchive_progress"`
	*State
}

// Decode reads a document.
func Decode(text []byte) (*State, error) {
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil || doc.Version == 0 || doc.State == nil {
		return nil, errForeign
	}
	if doc.Version != documentVersion {
		return nil, fmt.Errorf("it has version %d, this program reads %d", doc.Version, documentVersion)
	}
	return doc.State, nil
}

// Keeper keeps a document.
type Keeper interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, document []byte) error
}

// Documents is a Store of the documents that k keeps.
func Documents(k Keeper) Store { return documents{k} }

type documents struct{ keeper Keeper }

// Load decodes what is kept.
func (d documents) Load(ctx context.Context) (*State, error) {
	text, err := d.keeper.Load(ctx)
	if err != nil || text == nil {
		return nil, err
	}
	s, err := Decode(text)
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	return s, nil
}

// Save encodes a state.
func (d documents) Save(ctx context.Context, s *State) error {
	text, err := json.MarshalIndent(document{documentVersion, s}, "", "  ")
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	return d.keeper.Save(ctx, append(printable.AppendJSON(nil, text), '\n'))
}
