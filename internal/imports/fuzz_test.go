package imports

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/csv"
	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/jsonl"
)

// drain reads a source to its end and checks every row.
func drain(t *testing.T, kind Kind, text string, o OpenOptions) {
	t.Helper()
	s, err := Open(kind, Input{Name: "f", Reader: strings.NewReader(text), Size: int64(len(text))}, o)
	if err != nil {
		return
	}
	defer s.Close()
	last := int64(0)
	for {
		row, err := s.Next()
		bad, isBad := errors.AsType[*BadRow](err)
		switch {
		case err == io.EOF, errors.Is(err, ErrNoRecord), errors.Is(err, csv.ErrNotClosed), isDamaged(err):
			return
		case isBad && bad.Line >= last:
			last = bad.Line
			continue
		case err != nil:
			t.Fatalf("%s %q behind line %d: %v", kind, text, last, err)
		}
		if row.Line < last || row.Line < 1 {
			t.Fatalf("%s %q: line %d behind line %d", kind, text, row.Line, last)
		}
		last = row.Line
		_, back, err := jsonl.Parse(jsonl.Append(nil, format.TopicPartition{Topic: "t"}, &row.Record))
		if err != nil || string(format.AppendCanonical(nil, &back)) != string(format.AppendCanonical(nil, &row.Record)) {
			t.Fatalf("%s %q line %d: %v: %+v", kind, text, last, err, row)
		}
	}
}

func isDamaged(err error) bool {
	_, ok := errors.AsType[*foreign.DamagedError](err)
	return ok
}
