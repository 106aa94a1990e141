package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/units"
)

// serviceInput is how many orders the service of the example below gets. The race detector finds the same in fewer.
func serviceInput() int {
	if testing.Short() {
		return 10_000
	}
	return 100_000
}

// runService makes the archive of what a service of a version answers to orders: an invoice for each, in the partition of its customer. The second
// version writes other times of its own, and rounds one total in another way.
func runService(t *testing.T, dir string, version int) {
	t.Helper()
	a := newArchive(t, dir, format.Identity{})
	defer a.Close()
	const partitions = 4
	for partition := range partitions {
		p, err := a.NewSegment(format.WriterOptions{Topic: "invoices", Partition: int32(partition)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range serviceInput() / partitions {
			order := i*partitions + partition
			cents := order % 7
			if version == 2 && order == 8_193 {
				cents++
			}
			r := format.Record{Offset: int64(i), TimestampMs: int64(order), Key: fmt.Appendf(nil, "order-%d", order), LeaderEpoch: format.NoLeaderEpoch,
				Value: fmt.Appendf(nil, `{"order":{"id":%d},"lines":[{"price":1},{"price":2.0%d}],"generated_at":"v%d-%d"}`, order, cents, version, order)}
			if err := p.Write(&r); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := p.Seal(int64(serviceInput() / partitions)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheOneInvoiceOf100000ThatTwoVersionsOfAServiceDifferInIsFound(t *testing.T) {
	tmp := t.TempDir()
	v1, v2 := filepath.Join(tmp, "v1"), filepath.Join(tmp, "v2")
	runService(t, v1, 1)
	runService(t, v2, 2)
	equal := serviceInput() - 1
	for _, by := range []string{"offset", "order", "key", "value.order.id"} {
		page := filepath.Join(tmp, by+".html")
		checkSays(t, []string{"diff", v1, v2, "--by", by, "--json", "--ignore", "value.generated_at", "--format", "json", "-q", "--html", page},
			`"kind":"changed"`, `"changes":[{"path":"value.lines.1.price","a":"2.03","b":"2.04"}]`, fmt.Sprintf(`"equal":%d,"changed":1,"only_a":0`, equal),
			`"paths":[{"path":"value.lines.#.price","records":1}]`)
		html, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{units.Count(int64(equal)), "invoices-1 offset 2048", `<div class="path">value.lines.1.price</div><div class="a">2.03</div><div class="b">2.04</div>`} {
			if !bytes.Contains(html, []byte(text)) {
				t.Errorf("by %s: no %q in the page", by, text)
			}
		}
	}
	checkSays(t, []string{"diff", v1, v2, "--json", "--ignore", "value.generated_at", "-q"}, "different: "+units.Count(int64(equal))+" records equal, 1 not",
		"changed: invoices-1 offset 2048", "- value.lines.1.price: 2.03", "+ value.lines.1.price: 2.04", "value.lines.#.price  1")
}

// checkSays runs a comparison of what differs, and fails where it does not print all texts.
func checkSays(t *testing.T, args []string, texts ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 1 {
		t.Fatalf("%q: exit code %d, want 1\n%s", args, code, &stderr)
	}
	for _, text := range texts {
		if !strings.Contains(stdout.String(), text) {
			t.Errorf("%q: no %q in\n%s", args, text, &stdout)
		}
	}
}
