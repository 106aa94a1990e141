package diff

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
)

// maxChanges bounds Difference.Changes.
const maxChanges = 100

// Parts of a record that are not payloads.
const (
	offsetField    = "offset"
	timestampField = "timestamp"
	epochField     = "leader_epoch"
	headersField   = "headers"
)

// fields says what of two records is compared, and how.
type fields struct {
	offset, epoch, timestamp, headers bool
	header                            map[string]bool           // names that may differ
	key, value                        *payload                  // nil: may differ
	payloads                          map[reshape.Root]*payload // key and value, also where they may differ
}

// payload says how keys or values are compared.
type payload struct {
	root      string // key or value
	json      bool
	exact     bool // what means the same in other bytes differs too
	ignored   []pattern
	tolerance []tolerance
	check     *reshape.Checker
}

func newPayload(root reshape.Root, json, exact bool) *payload {
	return &payload{root: root.String(), json: json, exact: exact, check: reshape.NewChecker()}
}

type tolerance struct {
	pattern
	by float64
}

func newFields(o Options, pair Pairing) (*fields, error) {
	f := &fields{
		// Records that are paired by what they hold come from logs in which they may be anywhere.
		offset: pair == ByOrder, epoch: pair == ByOffset || pair == ByOrder,
		timestamp: true, headers: true, header: map[string]bool{},
		key: newPayload(reshape.KeyRoot, o.JSON, false), value: newPayload(reshape.ValueRoot, o.JSON, false),
	}
	f.payloads = map[reshape.Root]*payload{reshape.KeyRoot: f.key, reshape.ValueRoot: f.value}
	for _, path := range o.Ignore {
		if err := f.ignore(path); err != nil {
			return nil, err
		}
	}
	for path, by := range o.Tolerance {
		if err := f.tolerate(path, by); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *fields) ignore(path string) error {
	switch path {
	case offsetField:
		f.offset = false
		return nil
	case epochField:
		f.epoch = false
		return nil
	case headersField:
		f.headers = false
		return nil
	}
	p, err := reshape.ParsePath(path)
	if err != nil {
		return err
	}
	switch {
	case p.Root() == reshape.TimestampRoot:
		f.timestamp = false
	case p.Root() == reshape.HeadersRoot:
		f.header[p.HeaderName()] = true
	case p.Root() == reshape.KeyRoot && p.Rest() == "":
		f.key = nil
	case p.Root() == reshape.ValueRoot && p.Rest() == "":
		f.value = nil
	case p.Root() == reshape.KeyRoot:
		return f.key.ignore(p)
	case p.Root() == reshape.ValueRoot:
		return f.value.ignore(p)
	default:
		return &OptionError{path, "records are compared by it"}
	}
	return nil
}

func (p *payload) ignore(path reshape.Path) error {
	if p == nil { // ignored as a whole
		return nil
	}
	at, err := parsePattern(path.Rest())
	if err != nil {
		return &OptionError{path.String(), err.Error()}
	}
	p.json, p.ignored = true, append(p.ignored, at)
	return nil
}

func (f *fields) tolerate(path string, by float64) error {
	p, err := reshape.ParsePath(path)
	if err != nil {
		return err
	}
	part := map[reshape.Root]*payload{reshape.KeyRoot: f.key, reshape.ValueRoot: f.value}[p.Root()]
	if part == nil || !(by >= 0 && by <= math.MaxFloat64) {
		return &OptionError{path, "a tolerance is a number from 0, for a path into a key or value that is compared"}
	}
	at, err := parsePattern(p.Rest())
	if err != nil {
		return &OptionError{path, err.Error()}
	}
	part.json, part.tolerance = true, append(part.tolerance, tolerance{at, by})
	return nil
}

// looksIntoJSON says that some payloads are compared by what they mean.
func (f *fields) looksIntoJSON() bool {
	return f.key != nil && f.key.json || f.value != nil && f.value.json
}

// compare lists what differs between two records, at most maxChanges.
func (f *fields) compare(a, b *format.Record) []Change {
	var l changes
	if f.offset && a.Offset != b.Offset {
		l.change(offsetField, number(a.Offset), number(b.Offset))
	}
	if f.timestamp && (a.TimestampMs != b.TimestampMs || a.TimestampType != b.TimestampType) {
		l.change(timestampField, timestampText(a), timestampText(b))
	}
	if f.epoch && a.LeaderEpoch != b.LeaderEpoch {
		l.change(epochField, number(int64(a.LeaderEpoch)), number(int64(b.LeaderEpoch)))
	}
	f.key.compare(&l, a.Key, b.Key)
	f.value.compare(&l, a.Value, b.Value)
	if f.headers {
		f.compareHeaders(&l, a.Headers, b.Headers)
	}
	return l
}

// Explain lists what differs between two records of one place, offset excepted, at most 100 changes. Payloads that differ and are JSON are
// explained by the fields that do; where these mean the same, by all of it. Nothing is listed only of records with the same bytes.
func Explain(a, b *format.Record) []Change {
	f := fields{timestamp: true, epoch: true, headers: true, key: newPayload(reshape.KeyRoot, true, true), value: newPayload(reshape.ValueRoot, true, true)}
	return f.compare(a, b)
}

type changes []Change

func (l *changes) add(c Change) {
	if len(*l) < maxChanges {
		*l = append(*l, c)
	}
}

func (l *changes) change(path, a, b string) { l.add(Change{path, a, b, path}) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

func timestampText(r *format.Record) string {
	switch r.TimestampType {
	case format.TimestampCreate:
		return number(r.TimestampMs)
	case format.TimestampLogAppend:
		return number(r.TimestampMs) + " log append"
	}
	return number(r.TimestampMs) + " none"
}

func (p *payload) compare(l *changes, a, b []byte) {
	if p == nil || (a == nil) == (b == nil) && bytes.Equal(a, b) {
		return
	}
	if p.means(a) && p.means(b) {
		before := len(*l)
		p.compareJSON(l, a, b)
		if !p.exact || len(*l) > before {
			return
		}
	}
	l.change(p.root, Text(a), Text(b))
}

// means says that a payload is compared by what it means.
func (p *payload) means(b []byte) bool {
	return p != nil && p.json && b != nil && p.check.Check(b) == nil
}

// Text spells a payload so that null, empty, text and bytes cannot be taken for each other.
func Text(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case !utf8.Valid(b):
		return "base64:" + base64.StdEncoding.EncodeToString(b)
	}
	return strconv.Quote(string(b))
}

// compareHeaders compares the headers of each name, in their order, and then the order of all.
func (f *fields) compareHeaders(l *changes, a, b []format.Header) {
	a, b = f.compared(a), f.compared(b)
	if slices.EqualFunc(a, b, sameHeader) {
		return
	}
	before := len(*l)
	for _, name := range names(a, b) {
		x, y := valuesOf(a, name), valuesOf(b, name)
		if !slices.Equal(x, y) {
			l.change(headersField+"."+escapeName(name), joined(x), joined(y))
		}
	}
	if len(*l) == before {
		l.change(headersField, "in another order", "in another order")
	}
}

func (f *fields) compared(headers []format.Header) []format.Header {
	if len(f.header) == 0 {
		return headers
	}
	return slices.DeleteFunc(slices.Clone(headers), func(h format.Header) bool { return f.header[h.Key] })
}

func sameHeader(a, b format.Header) bool {
	return a.Key == b.Key && (a.Value == nil) == (b.Value == nil) && bytes.Equal(a.Value, b.Value)
}

// names are those of headers on either side, in order.
func names(a, b []format.Header) []string {
	var list []string
	for _, h := range slices.Concat(a, b) {
		if !slices.Contains(list, h.Key) {
			list = append(list, h.Key)
		}
	}
	return list
}

func valuesOf(headers []format.Header, name string) (values []string) {
	for _, h := range headers {
		if h.Key == name {
			values = append(values, Text(h.Value))
		}
	}
	return values
}

func joined(values []string) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	}
	return fmt.Sprintf("%d times: %s", len(values), values)
}
