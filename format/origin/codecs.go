package origin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/saturating"
)

// Codecs says how much of a topic came in batches of which compression: canonical bytes of records by the codec, one of "none", "gzip", "snappy", "lz4"
// and "zstd", or another that this version does not know. Shares count, not sums: a record that was captured twice is counted twice, and one that
// was sealed by a capture that was killed later may not be counted at all, nor what two captures that share an archive counted alike at the same time
// be counted twice. Nil: nobody counted. Methods change no map that is there.
type Codecs map[string]int64

// Plus is the sum of c and other.
func (c Codecs) Plus(other Codecs) Codecs {
	if len(other) == 0 {
		return c
	}
	sum := make(Codecs, len(c)+len(other))
	maps.Copy(sum, c)
	for codec, bytes := range other {
		sum[codec] = saturating.Add(sum[codec], bytes)
	}
	return sum
}

// Total is the bytes of all codecs.
func (c Codecs) Total() (bytes int64) {
	for _, of := range c {
		bytes = saturating.Add(bytes, of)
	}
	return bytes
}

// ByBytes are the codecs, that of the most bytes first; of equal ones the last by name.
func (c Codecs) ByBytes() []string {
	return slices.SortedFunc(maps.Keys(c), func(a, b string) int { return cmp.Or(cmp.Compare(c[b], c[a]), cmp.Compare(b, a)) })
}

// Most is the first of ByBytes that takes accepts, nil all. Empty: there is none.
func (c Codecs) Most(takes func(codec string) bool) string {
	for _, codec := range c.ByBytes() {
		if takes == nil || takes(codec) {
			return codec
		}
	}
	return ""
}

// String has the shares of the codecs, that of the most bytes first: "lz4 75 %, none 25 %". Empty: nothing is known.
func (c Codecs) String() string {
	var total float64
	for _, bytes := range c {
		total += float64(bytes)
	}
	var parts []string
	for _, name := range c.ByBytes() {
		if c[name] > 0 {
			parts = append(parts, shareText(name, float64(c[name])/total))
		}
	}
	return strings.Join(parts, ", ")
}

func shareText(name string, share float64) string {
	switch {
	case share == 1:
		return name
	case share < 0.01:
		return name + " <1 %"
	}
	return fmt.Sprintf("%s %.0f %%", name, 100*share)
}

// Check refuses what cannot be. Nil is right.
func (c Codecs) Check() error {
	for _, codec := range slices.Sorted(maps.Keys(c)) {
		if codec == "" || c[codec] < 0 {
			return fmt.Errorf("%d bytes of the codec %.40q are none", c[codec], codec)
		}
	}
	return nil
}
