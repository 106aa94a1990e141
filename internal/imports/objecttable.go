package imports

import (
	"cmp"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/lines"
)

// objectTable reads JSON of any shape. Its columns are gjson paths.
type objectTable struct {
	in    *lines.Values
	paths []string
	value []byte
}

func (t *objectTable) names() ([]string, int) { return nil, 0 }

func (t *objectTable) bind(columns []asked) error {
	for _, c := range columns {
		t.paths = append(t.paths, c.name)
	}
	return nil
}

func (t *objectTable) next() (line int64, err error) {
	t.value, line, err = t.in.Next()
	return line, badLine(err)
}

func (t *objectTable) cell(i int) cell {
	return jsonValueCell(gjson.Get(unsafe.String(unsafe.SliceData(t.value), len(t.value)), t.paths[i]))
}

func jsonValueCell(v gjson.Result) cell {
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

func (t *objectTable) whole() []byte { return t.value }
