package format_test

import (
	"testing"

	"github.com/karchive/karchive/format"
)

func TestACompressionHasOneSpelling(t *testing.T) {
	for text, want := range map[string]format.Compression{
		"": "zstd:1", "zstd": "zstd:1", "zstd:1": "zstd:1", "zstd:22": "zstd:22", "zstd:007": "zstd:7", "none": format.NoCompression,
	} {
		if got, err := format.ParseCompression(text); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"rar", "none:1", "zstd:", "zstd:0", "zstd:23", "zstd:-1", "zstd:x", "zstd:1:2", "ZSTD", ":3"} {
		if got, err := format.ParseCompression(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}
