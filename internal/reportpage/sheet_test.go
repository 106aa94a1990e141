package reportpage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/pack"
	"github.com/karchive/karchive/test/memfs"
)

// evil is what somebody may name a field, a header or an archive.
const evil = "<script>x</script>\x1b[2J\u202e\n"

// sheetOf makes the sheet of an archive with two topics and two segments of each, of which all or the later ones are packed.
func sheetOf(t *testing.T, later bool) *Sheet {
	t.Helper()
	a, err := format.Create(memfs.New(memfs.Options{}), format.Identity{Capture: &origin.Plan{Mode: origin.ModeSnapshot, Isolation: origin.ReadCommitted,
		From: "beginning", Rules: "9a1f", Options: map[string]string{"steps": "filter, mask"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	m := &pack.Manifest{Contents: "c0ffee", Parts: []pack.Part{{}}}
	for _, topic := range []string{"customers", "orders"} {
		for i := range int64(2) {
			p, err := a.NewSegment(format.WriterOptions{Topic: topic, Base: 2 * i, Source: origin.Source{Rules: "9a1f", Isolation: origin.ReadCommitted}})
			if err != nil {
				t.Fatal(err)
			}
			s := sealSheetSegment(t, p, fmt.Sprintf(`{"%s%d":{"email":"a@b.example","x%d":null}}`, topic, i, i), 2*i)
			if f := (pack.File{Path: s.Path, Size: s.Size}); later && i == 0 {
				m.Since, m.Presumed = &pack.State{Contents: "bead"}, append(m.Presumed, f)
			} else {
				m.Parts[0].Files = append(m.Parts[0].Files, f)
			}
		}
	}
	return &Sheet{Name: evil, Archive: a, Manifest: m, Text: []byte("{}"), Files: []PackedFile{{"run.karchive", 1234567, "5ha", "4 segments"}},
		SignedBy: []string{"SSH key SHA256:abc"}, Verdict: "incomplete: 1 planned offset not captured", Missing: []string{"not captured: " + evil}, MadeBy: "karchive"}
}

// sealSheetSegment writes a record and an offset without one.
func sealSheetSegment(t *testing.T, p *format.Pending, value string, base int64) format.Segment {
	t.Helper()
	if err := p.Write(&format.Record{Offset: base, TimestampMs: 500 * base, Value: []byte(value), Headers: []format.Header{{Key: evil}}}); err != nil {
		t.Fatal(err)
	}
	if err := p.Skip(base+1, 0, ledger.Filtered); err != nil {
		t.Fatal(err)
	}
	s, _, err := p.Seal(base + 2)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheTransferSheetSaysWhatIsInTheFiles(t *testing.T) {
	for name, write := range map[string]func(*Sheet, *strings.Builder) error{
		"html": func(s *Sheet, b *strings.Builder) error { return s.WriteHTML(t.Context(), b) },
		"text": func(s *Sheet, b *strings.Builder) error { return s.WriteText(t.Context(), b) },
	} {
		var b strings.Builder
		if err := write(sheetOf(t, false), &b); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		for _, want := range []string{"run.karchive", "1,234,567", "5ha", "c0ffee", "SSH key SHA256:abc", "it can be read by everyone", "incomplete: 1 planned offset not captured",
			"customers", "orders", "value.customers0.email", "value.orders1.x1", "e-mail", "null", "4 filtered", "identity 9a1f", "filter, mask", "1970-01-01T00:00:01.000Z",
			"not captured: ", "headers.", "Released by", "signature", "4 places"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the sheet does not have %q", name, want)
			}
		}
		if name == "html" && strings.Contains(got, "<script") {
			t.Error("the page has a script of somebody else")
		}
		for _, not := range []string{"\x1b", "\u202e", "a@b", "http", "%!", "<no value>"} {
			if strings.Contains(got, not) {
				t.Errorf("%s: the sheet has %q", name, not)
			}
		}
	}
}

func TestTheTransferSheetOfADeltaIsOnlyAboutWhatIsPacked(t *testing.T) {
	var b strings.Builder
	if err := sheetOf(t, true).WriteText(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for want, has := range map[string]bool{"2 segments that are not in these files, of contents bead": true, "value.orders1.email": true, "orders0": false, "2 in 2 partitions": true} {
		if strings.Contains(b.String(), want) != has {
			t.Errorf("%q: got %t, want %t, in\n%s", want, !has, has, b.String())
		}
	}
}

func TestATransferSheetThatCannotBeFinishedIsAnError(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := sheetOf(t, false).WriteHTML(ctx, &strings.Builder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	if err := sheetOf(t, false).WriteHTML(t.Context(), full); err == nil {
		t.Error("on a full disk: got no error")
	}
}
