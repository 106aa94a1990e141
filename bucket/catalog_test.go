package bucket_test

import (
	"fmt"
	"testing"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/membucket"
)

// TestTwoWritersLeaveOneCatalogOfWhatBothSealed has the second one end first.
func TestTwoWritersLeaveOneCatalogOfWhatBothSealed(t *testing.T) {
	const each = 40
	b := membucket.New()
	var writers [2]*format.Archive
	for i := range writers {
		a, err := openOrCreate(bucket.New(t.Context(), b.Open(), bucket.Options{}), plan(each))
		ok(t, err)
		writers[i] = a
		ok(t, a.Refresh())
	}
	for next := int64(1); next <= each; next++ {
		for p, a := range writers {
			ok(t, seal(a, format.TopicPartition{Topic: "orders", Partition: int32(p)}, next))
		}
	}
	// Neither knows of enough segments to make a catalog until it looks what the other one sealed.
	for _, a := range []*format.Archive{writers[1], writers[0]} {
		ok(t, a.Refresh())
		ok(t, a.Close())
	}
	s := bucket.New(t.Context(), b.Open(), bucket.Options{})
	covered(t, s, 2*each)
	if got, want := s.Requests().Get, int64(2+8+1); got != want {
		t.Errorf("%d GET, want %d", got, want)
	}
}

func TestACaptureThatIsKilledLeavesACatalogOfMostOfWhatItSealed(t *testing.T) {
	b := membucket.New()
	a, err := openOrCreate(bucket.New(t.Context(), b.Open(), bucket.Options{}), plan(300))
	ok(t, err)
	for next := int64(1); next <= 300; next++ {
		ok(t, seal(a, orders, next))
	}
	b.Kill()
	s := bucket.New(t.Context(), b.Other().Open(), bucket.Options{})
	covered(t, s, 300)
	// SHA256SUMS is not there; 8 footers first, which the catalog has; those that were sealed after it was written.
	if got, most := s.Requests().Get, int64(2+1+8+44); got > most {
		t.Errorf("%s, want at most %d GET", fmt.Sprint(s.Requests()), most)
	}
}

func TestTheNextWriterCompletesTheCatalogOfOneThatWasKilled(t *testing.T) {
	b := membucket.New()
	a, err := openOrCreate(bucket.New(t.Context(), b.Open(), bucket.Options{}), plan(100))
	ok(t, err)
	for next := int64(1); next <= 100; next++ {
		ok(t, seal(a, orders, next))
	}
	b.Kill()
	after := b.Other()
	a, err = format.OpenForWriting(bucket.New(t.Context(), after.Open(), bucket.Options{}))
	ok(t, err)
	ok(t, a.Close())
	s := bucket.New(t.Context(), after.Open(), bucket.Options{})
	covered(t, s, 100)
	if got, want := s.Requests().Get, int64(2+8+1); got != want {
		t.Errorf("%d GET, want %d", got, want)
	}
}
