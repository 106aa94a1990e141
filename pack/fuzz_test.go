package pack

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
)

// FuzzOpen opens anything as a packed file and reads what it says is in it. Nothing may panic, and what opens has the files of its manifest.
func FuzzOpen(f *testing.F) {
	golden, err := os.ReadFile(goldenPack)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add(golden[:len(golden)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := openSource(bytes.NewReader(b), int64(len(b)), nil)
		if err != nil {
			return
		}
		for _, file := range p.manifest.Parts[p.number].Files {
			if _, ok := ondisk.ParseSegmentPath(file.Path); !ok || p.places[file.Path].size != file.Size {
				t.Errorf("%q is in an open part", file.Path)
			}
		}
		if err := p.check(context.Background(), func(int64) {}, func(string, error) {}); err != nil {
			t.Error(err)
		}
	})
}
