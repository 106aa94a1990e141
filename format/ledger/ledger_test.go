package ledger_test

import (
	"reflect"
	"testing"

	"github.com/karchive/karchive/format/ledger"
)

func TestALedgerOfWhatFollowsIsAddedAndAdjoiningGapsAreOne(t *testing.T) {
	l := ledger.Ledger{Control: 1}
	l.AddGap(ledger.Gap{From: 10, Until: 20, Reason: ledger.Retention})
	next := ledger.Ledger{Filtered: 2, Absent: 3}
	next.AddGap(ledger.Gap{From: 20, Until: 25, Reason: ledger.Retention})
	next.AddGap(ledger.Gap{From: 25, Until: 27, Reason: ledger.Corrupt})
	l.Add(&next)
	want := ledger.Ledger{Retention: 15, Corrupt: 2, Control: 1, Filtered: 2, Absent: 3, Ranges: []ledger.Gap{
		{From: 10, Until: 25, Reason: ledger.Retention}, {From: 25, Until: 27, Reason: ledger.Corrupt},
	}}
	if !reflect.DeepEqual(l, want) {
		t.Errorf("got %+v, want %+v", l, want)
	}
	if got := l.Lost(); got != 17 {
		t.Errorf("got %d lost, want 17", got)
	}
	total := ledger.Ledger{}
	total.AddCounts(&l)
	if want.Ranges = nil; !reflect.DeepEqual(total, want) {
		t.Errorf("got the counts %+v, want %+v", total, want)
	}
}

func TestOnlyWhatIsLostIsKeptAsRanges(t *testing.T) {
	var order []ledger.Reason
	for r := range (&ledger.Ledger{}).All() {
		order = append(order, r)
		if want := r == ledger.Retention || r == ledger.Corrupt; r.Ranged() != want {
			t.Errorf("%s: got ranged %v, want %v", r, r.Ranged(), want)
		}
	}
	want := []ledger.Reason{ledger.Retention, ledger.Corrupt, ledger.Control, ledger.Filtered, ledger.Absent}
	if !reflect.DeepEqual(order, want) {
		t.Errorf("got the order %v, want %v", order, want)
	}
	if ledger.Reason("lazy").Ranged() {
		t.Error("an unknown reason: got ranged, want not")
	}
}
