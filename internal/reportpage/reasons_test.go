package reportpage

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/ledger"
)

func TestThePageColoursAndNamesEveryReasonOfAGapThatHasAPlace(t *testing.T) {
	page, err := os.ReadFile("archive.html")
	if err != nil {
		t.Fatal(err)
	}
	ranged := 0
	for reason := range new(ledger.Ledger).All() {
		if !reason.Ranged() {
			continue
		}
		ranged++
		for _, want := range []string{fmt.Sprintf(".%s { background: ", reason), fmt.Sprintf("class=\"key %s\"", reason)} {
			if !strings.Contains(string(page), want) {
				t.Errorf("archive.html has no %q for the reason %s", want, reason)
			}
		}
	}
	if ranged < 2 {
		t.Errorf("%d reasons have a place, want at least 2", ranged)
	}
}

func TestThePageCountsEveryReasonOfAGap(t *testing.T) {
	l := ledger.Ledger{Retention: 1, Corrupt: 2, Control: 3, Filtered: 4, Absent: 5}
	text := ", " + ledgerText(&l)
	for reason, n := range l.All() {
		if want := fmt.Sprintf(", %d %s", n, reason); n == 0 || !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}
