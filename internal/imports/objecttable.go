package imports

import (
	"cmp"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/lines"
	"github.com/karchive/karchive/internal/reshape"
)

// objectTable reads JSON of any shape. Its columns are paths as in rules, without the value before them.
type objectTable struct {
	in     *lines.Values
	paths  []reshape.Path
	record reshape.Record // with the JSON as its value
}

func (t *objectTable) names() ([]string, int) { return nil, 0 }

func (t *objectTable) bind(columns []asked) error {
	for _, c := range columns {
		path, err := reshape.ParseField(belowValue(c.name))
		if err != nil {
			return err
		}
		t.paths = append(t.paths, path)
	}
	return nil
}

// belowValue is a column's path as rules spell it.
func belowValue(column string) string {
	value := reshape.ValueRoot.String()
	if strings.HasPrefix(column, "[") {
		return value + column
	}
	return value + "." + column
}

// memberName is how a column is called in an object: its path without what only spells it, so that ["@timestamp"] is @timestamp.
func memberName(column string) string {
	if !strings.ContainsAny(column, `[\`) {
		return column
	}
	path, err := reshape.ParseField(belowValue(column))
	if err != nil {
		return column
	}
	return path.Plain()
}

func (t *objectTable) next() (line int64, err error) {
	t.record.Value, line, err = t.in.Next()
	return line, badLine(err)
}

func (t *objectTable) cell(i int) cell {
	f := t.paths[i].Get(&t.record)
	kind := cellKinds[f.Kind]
	if kind == missingCell || kind == nullCell {
		return cell{kind: kind}
	}
	return cell{kind, f.AppendText(nil)}
}

// cellKinds are the kinds of cells by what a path found.
var cellKinds = map[reshape.Kind]cellKind{
	reshape.Null: nullCell, reshape.String: textCell, reshape.Number: numberCell, reshape.Bool: boolCell, reshape.JSON: jsonCell,
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

func (t *objectTable) whole() []byte { return t.record.Value }
