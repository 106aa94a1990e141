package format

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/test/peak"
)

// refusedTexts are the cases of testdata/refuse/texts.json: a text, and what to put in the place of a part of it.
type refusedTexts struct {
	Document, Archive string
	Cases             []struct {
		Name, Of, Old, New string
		NewHex             string `json:"new_hex"`
		Check              int
	}
}

func TestEveryTextThatSaysWhatCannotBeIsRefused(t *testing.T) {
	var texts refusedTexts
	readJSON(t, "../testdata/refuse/texts.json", &texts)
	read := map[string]func(text []byte) error{
		"document": func(text []byte) error {
			_, err := checkedDocument(text, []byte(ondisk.Digest(text)))
			return err
		},
		"archive": func(text []byte) error {
			_, err := decodeIdentity([]byte(`{"checksum":"` + ondisk.Digest(text) + `","archive":` + string(text) + `}`))
			return err
		},
	}
	whole := map[string]string{"document": texts.Document, "archive": texts.Archive}
	for of, text := range whole {
		if err := read[of]([]byte(text)); err != nil {
			t.Fatalf("the %s that is right: %v", of, err)
		}
	}
	for _, c := range texts.Cases {
		replacement := []byte(c.New)
		if c.NewHex != "" {
			replacement, _ = hex.DecodeString(c.NewHex)
		}
		text := strings.Replace(whole[c.Of], c.Old, string(replacement), 1)
		if text == whole[c.Of] {
			t.Errorf("%s: nothing was replaced", c.Name)
		}
		if err := read[c.Of]([]byte(text)); !errors.Is(err, ErrCorrupt) && c.Name != "an unknown encoding" || err == nil {
			t.Errorf("check %d, %s: got %v, want ErrCorrupt", c.Check, c.Name, err)
		}
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestADigestTakesNoMemoryOfItsOwn keeps a segment of many small row groups from making more garbage than records, and one of a large record
// from being there twice.
func TestADigestTakesNoMemoryOfItsOwn(t *testing.T) {
	for _, size := range []int{10, 32 << 20} {
		records := []Record{{Value: make([]byte, size)}}
		recordsDigest(records) // fills the pool
		var wanted string
		const rounds = 64
		got := peak.Allocated(func() {
			for range rounds {
				wanted, _ = recordsDigest(records)
			}
		}) / rounds
		if got > hashStep { // the race detector makes pools forget some
			t.Errorf("a record of %d bytes: got %d bytes allocated for its digest, want next to none", size, got)
		}
		if want := ondisk.Digest(AppendCanonical(nil, &records[0])); wanted != want {
			t.Errorf("a record of %d bytes: got digest %s, want %s", size, wanted, want)
		}
	}
}
