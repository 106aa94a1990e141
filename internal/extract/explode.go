package extract

import (
	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
)

// tree is the paths into one document, those that lead through the same array together.
type tree struct {
	leaves []leaf
	arrays []branch
}

// leaf is a path without an array on its way. What it leads to may be one.
type leaf struct {
	column int
	get    func(*reshape.Record) reshape.Field
}

// branch is the paths through an array.
type branch struct {
	path    string // to the array; empty: the document is it
	element *tree
}

// block is rows that have some of the columns.
type block struct {
	columns []int
	rows    [][]reshape.Field // full width
}

// plant sorts the columns into trees.
func (x *Extractor) plant() {
	x.value, x.key = &tree{}, &tree{}
	for i := range x.columns {
		c := &x.columns[i]
		switch {
		case c.rest == "":
			x.flat = append(x.flat, i)
		case c.root == reshape.ValueRoot:
			x.value.add(i, c.rest, c.get)
		default:
			x.key.add(i, c.rest, func(r *reshape.Record) reshape.Field {
				return c.get(&reshape.Record{Record: format.Record{Key: r.Value}})
			})
		}
	}
}

// add adds a column whose path in the document of the tree is path; get finds it in a record whose value that document is.
func (t *tree) add(column int, path string, get func(*reshape.Record) reshape.Field) {
	array, rest, ok := cutArray(path)
	if !ok {
		t.leaves = append(t.leaves, leaf{column, get})
		return
	}
	for _, b := range t.arrays {
		if b.path == array {
			b.element.add(column, rest, getter(rest))
			return
		}
	}
	b := branch{array, &tree{}}
	b.element.add(column, rest, getter(rest))
	t.arrays = append(t.arrays, b)
}

// getter finds a gjson path in a record's value. The path is part of one that was parsed.
func getter(path string) func(*reshape.Record) reshape.Field {
	p, err := reshape.ParseField("value." + path)
	if err != nil {
		return func(*reshape.Record) reshape.Field { return reshape.Field{} }
	}
	return p.Get
}

func (x *Extractor) explode(r *reshape.Record, emit func([]reshape.Field) error) error {
	p := parts{once: make([]reshape.Field, len(x.columns))}
	for _, i := range x.flat {
		p.set(i, x.columns[i].get(r))
	}
	x.value.gather(r.Value, &p)
	x.key.gather(r.Key, &p)
	for _, row := range p.rows() {
		if err := x.emit(row, emit); err != nil {
			return err
		}
	}
	return nil
}

// parts are what rows are put together from: cells that every row repeats, and blocks that lie side by side.
type parts struct {
	once    []reshape.Field // full width
	columns []int           // those of once that are set
	blocks  []block
}

func (p *parts) set(column int, f reshape.Field) {
	p.once[column] = f
	p.columns = append(p.columns, column)
}

// gather finds what the tree's paths lead to in a document.
func (t *tree) gather(document []byte, p *parts) {
	record := &reshape.Record{Record: format.Record{Value: document}}
	for _, l := range t.leaves {
		f := l.get(record)
		if f.Kind == reshape.JSON && f.Raw[0] == '[' {
			p.blocks = append(p.blocks, column(l.column, f.Raw, len(p.once)))
			continue
		}
		p.set(l.column, f)
	}
	for _, b := range t.arrays {
		p.blocks = append(p.blocks, b.block(document, len(p.once)))
	}
}

// column is a row for each element of an array.
func column(i int, array []byte, width int) block {
	out := block{columns: []int{i}}
	eachElement(gjson.ParseBytes(array), func(element []byte) {
		row := make([]reshape.Field, width)
		row[i] = reshape.JSONField(element)
		out.rows = append(out.rows, row)
	})
	return out
}

// block is the rows of all elements of the array, one after the other.
func (b *branch) block(document []byte, width int) block {
	array := gjson.ParseBytes(document)
	if b.path != "" {
		array = gjson.GetBytes(document, b.path)
	}
	out := block{columns: b.element.columns()}
	eachElement(array, func(element []byte) {
		p := parts{once: make([]reshape.Field, width)}
		b.element.gather(element, &p)
		out.rows = append(out.rows, p.rows()...)
	})
	return out
}

func eachElement(array gjson.Result, do func(element []byte)) {
	if !array.IsArray() {
		return
	}
	array.ForEach(func(_, element gjson.Result) bool {
		do([]byte(element.Raw))
		return true
	})
}

// columns are all columns of the tree.
func (t *tree) columns() []int {
	var out []int
	for _, l := range t.leaves {
		out = append(out, l.column)
	}
	for _, b := range t.arrays {
		out = append(out, b.element.columns()...)
	}
	return out
}

// rows lays the blocks side by side by position, and repeats the rest. There is at least one row.
func (p *parts) rows() [][]reshape.Field {
	n := 1
	for _, b := range p.blocks {
		n = max(n, len(b.rows))
	}
	rows := make([][]reshape.Field, n)
	for i := range rows {
		rows[i] = make([]reshape.Field, len(p.once))
		copyColumns(rows[i], p.once, p.columns)
		for _, b := range p.blocks {
			if i < len(b.rows) {
				copyColumns(rows[i], b.rows[i], b.columns)
			}
		}
	}
	return rows
}

func copyColumns(to, from []reshape.Field, columns []int) {
	for _, c := range columns {
		to[c] = from[c]
	}
}
