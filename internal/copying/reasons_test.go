package copying

import (
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
)

func TestACopyKeepsEveryReasonOfAGap(t *testing.T) {
	for reason := range new(ledger.Ledger).All() {
		k, ok := kindOf(reason)
		if !ok || k.reason() != reason {
			t.Errorf("span.go: the reason %s is of no kind", reason)
			continue
		}
		log := recordsAround(k)
		a := captured(t, format.Parquet, log, 0, int64(len(log)), 1<<20)
		got, _ := copied(t, Options{RotateBytes: 1 << 30}, a.input("a")) // which is cut anew, so everything is decoded
		c, err := got.open().Coverage(orders0)
		if err != nil {
			t.Fatal(err)
		}
		for other, n := range c.Ledger.All() {
			if want := map[bool]int64{true: 3}[other == reason]; n != want {
				t.Errorf("target.go: of 3 offsets of the reason %s a copy says %d are %s, want %d", reason, n, other, want)
			}
		}
	}
}

// recordsAround is a log of a record, three offsets of a kind, and a record.
func recordsAround(k kind) []fact {
	log := make([]fact, 5)
	for i := range log {
		log[i].kind = k
	}
	for _, i := range []int{0, 4} {
		log[i] = fact{kind: held, record: format.Record{Offset: int64(i), LeaderEpoch: int32(i / 100), TimestampMs: int64(i), Value: []byte("v")}}
	}
	return log
}
