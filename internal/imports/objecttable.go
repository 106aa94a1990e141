package imports

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/lines"
)

// objectTable reads JSON of any shape, one value a line. Its columns are gjson paths.
type objectTable struct {
	in    *lines.Reader
	paths []string
	line  []byte
}

var errNotJSON = errors.New("not JSON")

func newObjectTable(r io.Reader) *objectTable { return &objectTable{in: lines.NewReader(r)} }

func (t *objectTable) names() []string { return nil }

func (t *objectTable) bind(paths []string) error {
	t.paths = paths
	return nil
}

func (t *objectTable) next() (int64, error) {
	for {
		line, n, err := t.in.Next()
		if long, ok := errors.AsType[*lines.TooLongError](err); ok {
			return n, &BadRow{Line: long.Line, Err: errors.New("the line is too long")}
		}
		if err != nil {
			return n, err
		}
		if t.line = bytes.TrimSpace(line); len(t.line) == 0 {
			continue
		}
		if !gjson.Valid(t.text()) {
			return n, &BadRow{Line: n, Err: errNotJSON}
		}
		return n, nil
	}
}

func (t *objectTable) text() string { return unsafe.String(unsafe.SliceData(t.line), len(t.line)) }

func (t *objectTable) cell(i int) cell {
	v := gjson.Get(t.text(), t.paths[i])
	switch {
	case !v.Exists():
		return cell{}
	case v.Type == gjson.Null:
		return cell{kind: nullCell}
	case v.Type == gjson.String:
		return cell{textCell, []byte(v.Str)}
	case v.Type == gjson.Number:
		return cell{numberCell, []byte(cmp.Or(v.Raw, v.String()))} // a count has no text of its own
	case v.IsBool():
		return cell{boolCell, []byte(v.Raw)}
	}
	return cell{jsonCell, []byte(v.Raw)}
}

func (t *objectTable) whole() []byte { return t.line }
