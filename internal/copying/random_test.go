package copying

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
)

// TestCopiesOfManyKindsAreWhatTheModelSays is FuzzSelections with options that are drawn, the same ones each time.
func TestCopiesOfManyKindsAreWhatTheModelSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 150 {
		bounds, kinds := make([]byte, 2*(1+r.IntN(3))), make([]byte, 1+r.IntN(20))
		for i := range bounds {
			bounds[i] = byte(r.IntN(60))
		}
		bounds[0], bounds[1] = byte(r.IntN(20)), byte(40+r.IntN(20)) // the others overlap it
		for i := range kinds {
			kinds[i] = byte(r.IntN(256))
		}
		logs, ranges := modelLogs(bounds, kinds, 60)
		o := Options{Window: format.Selection{FromOffset: int64(r.IntN(30))}, Limit: int64(r.IntN(60) * r.IntN(2)), Last: int64(r.IntN(60) * r.IntN(2)), RotateBytes: int64(r.IntN(2) * 900)}
		o.Window.UntilOffset = int64(r.IntN(2) * (31 + r.IntN(29)))
		if ms := int64(1000 + r.IntN(50)); r.IntN(2) == 0 {
			o.Window.From = time.UnixMilli(ms)
		}
		if r.IntN(3) == 0 {
			o.Reshape = thirds{}
		}
		var inputs []Input
		for i, r := range ranges {
			inputs = append(inputs, captured(t, format.Encodings()[n%2], logs[i], r[0], r[1], 700).input(fmt.Sprint(i)))
		}
		facts, from, until := modelCopy(logs, ranges, o)
		if from >= until || slices.ContainsFunc(facts, func(f fact) bool { return f.kind > corrupt }) {
			continue // nothing, or a hole
		}
		got, _, err := tryCopy(t, o, inputs...)
		if err != nil {
			t.Fatal(err)
		}
		got.verify()
		if err := got.sameAsModel(facts, from, until); err != nil {
			t.Errorf("case %d: %v: %+v of %v", n, err, o, ranges)
		}
	}
}
