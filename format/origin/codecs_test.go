package origin_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format/origin"
)

func TestTheCodecOfTheMostBytesCounts(t *testing.T) {
	known := func(codec string) bool { return codec != "brotli" }
	for _, c := range []struct {
		of   origin.Codecs
		want string
	}{
		{nil, ""},
		{origin.Codecs{"none": 10, "zstd": 11}, "zstd"},
		{origin.Codecs{"none": 11, "zstd": 10}, "none"},
		{origin.Codecs{"gzip": 5, "lz4": 5}, "lz4"},
		{origin.Codecs{"brotli": math.MaxInt64, "gzip": 1}, "gzip"},
		{origin.Codecs{"brotli": 1}, ""},
		{origin.Codecs{"snappy": 0}, "snappy"},
	} {
		if got := c.of.Most(known); got != c.want {
			t.Errorf("of %v: got %q, want %q", c.of, got, c.want)
		}
	}
}

func TestCodecsAddUpWithoutTurningOver(t *testing.T) {
	first := origin.Codecs{"zstd": math.MaxInt64 - 1, "none": 1}
	got := first.Plus(origin.Codecs{"zstd": 5, "lz4": 2})
	if want := (origin.Codecs{"zstd": math.MaxInt64, "none": 1, "lz4": 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if total := got.Total(); total != math.MaxInt64 {
		t.Errorf("in total %d, want %d", total, int64(math.MaxInt64))
	}
	if total := (origin.Codecs{"zstd": 5, "lz4": 2}).Total(); total != 7 {
		t.Errorf("in total %d, want 7", total)
	}
	if len(first) != 2 || first["zstd"] != math.MaxInt64-1 {
		t.Errorf("the first became %v", first)
	}
	if got := origin.Codecs(nil).Plus(nil); got != nil {
		t.Errorf("of nothing: got %v, want nil", got)
	}
}

func TestSharesOfCodecsAreToldTheLargestFirst(t *testing.T) {
	for want, c := range map[string]origin.Codecs{
		"": {"zstd": 0}, "zstd": {"zstd": 5, "none": 0}, "zstd 99 %, none 1 %": {"zstd": 990, "none": 10}, "lz4 100 %, none <1 %": {"lz4": 1e6, "none": 1},
		"zstd 50 %, gzip 50 %": {"gzip": 1 << 62, "zstd": 1 << 62},
	} {
		if got := c.String(); got != want {
			t.Errorf("of %v: got %q, want %q", c, got, want)
		}
	}
}
