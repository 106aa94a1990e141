package reshape

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rules say what a pipeline does. The zero value does nothing. They are data: [ParseRules] reads them from YAML, the Parse functions
// read single rules as flags spell them, and [Compile] checks them.
type Rules struct {
	// Filter holds CEL expressions; a record stays when all of them are true of it. `karchive help filter` has their variables.
	Filter []Expression
	// Strict turns a record about which the filter cannot be decided (its value is not JSON, a field is not there, types do not fit)
	// into an error. Otherwise such a record is left out and counted.
	Strict bool

	Sample Sample

	// Mask hides what is in payloads. Of two rules for one field the first holds.
	Mask []Mask
	// MaskKey names the secret for the action hash, and for samples, which do without it too: @FILE, or env:NAME.
	MaskKey string
	// Unmaskable says what becomes of a record that a rule cannot be applied to; empty: Withhold. The other rules hold in any case.
	Unmaskable Unmaskable
	// RequireMatch is as if every rule that can be were Required.
	RequireMatch bool
	// RequireCoverage withholds records of which something goes out that looks personal and that no rule has changed or kept, or that
	// nobody can look at. It also makes Report.Incomplete true for a mask that never matched.
	RequireCoverage bool

	// Then the maps, in this order. They see what masks left.
	Tables    []Table
	Endpoints []Endpoint
	Set       []Set
	Rename    []Rename
	Remove    []Selector
	// Key and Value make one field the whole key or value; the first whose topics fit.
	Key, Value []Selector

	secret []byte // what MaskKey names, from Resolve
}

// Expression is a CEL expression.
type Expression struct {
	Text string
	line int // in the file it came from; 0: from a flag
}

// Selector is a path, in the topics that it is about.
type Selector struct {
	Path   string   `json:"path"`
	Topics []string `json:"topics,omitempty"` // names and globs; empty: all
	// Required withholds records in which the path leads nowhere: a name on the way is missing, or something else stands there than an
	// object or array. A null payload has no paths, so it goes on, and so does an array without elements. It is for masks, tables,
	// Rename and Remove.
	Required bool `json:"required,omitempty"`
	// Optional says that a rule may match nothing in a whole run. Other rules that do make Report.Incomplete true.
	Optional bool `json:"-"`
}

// Sample keeps a part of the entities. The zero value keeps all.
type Sample struct {
	Rate Rate `json:"rate"`
	// By names the entity of a record: the first selector that finds something. Empty: the key.
	By []Selector `json:"by,omitempty"`
	// Random takes records by chance and not by entity: by Seed and the record's place.
	Random bool   `json:"random,omitempty"`
	Seed   uint64 `json:"seed,omitempty"`
}

// Mask is one masking rule.
type Mask struct {
	Selector
	Action Action   `json:"action"`
	Fixed  Constant `json:"fixed,omitzero"`
	Shift  Span     `json:"shift,omitempty"`
}

// Unmaskable is what becomes of a record that a rule cannot be applied to.
type Unmaskable string

// The choices.
const (
	Withhold  Unmaskable = "withhold" // it does not go on
	PassOn    Unmaskable = "pass"     // it goes on with that field as it is, or all of a payload that is not strictly JSON
	RedactAll Unmaskable = "redact"   // it goes on with that field or payload redacted
)

// Set gives a field or header a constant value. Objects on the way are made; array elements are not.
type Set struct {
	Selector
	To Constant `json:"to"`
}

// Rename gives a field or header another name in its place.
type Rename struct {
	Selector
	To string `json:"to"`
}

// Table rewrites what a path finds by a table of two columns, old and new.
type Table struct {
	Selector
	File string `json:"file"` // CSV without a header line
	Else Else   `json:"else,omitempty"`

	entries map[string]string // from Resolve
}

// Else is what becomes of a field that a table does not have.
type Else string

// The choices. Empty is ElseWithhold: an identity that nobody listed had better not slip through.
const (
	ElseWithhold Else = "withhold" // the record does not go on
	ElseKeep     Else = "keep"     // the field stays as it is
	ElseRedact   Else = "redact"
)

// Endpoint rewrites host names, possibly with a port, wherever they stand in the selected texts. Each * in From matches any characters
// of a host name; the first * in To stands for what the first * in From matched, and so on.
type Endpoint struct {
	From string     `json:"from"`
	To   string     `json:"to"`
	In   []Selector `json:"in,omitempty"` // empty: value
	// Optional says that it may match nothing in a whole run.
	Optional bool `json:"-"`
}

// Empty says that the rules do nothing.
func (r *Rules) Empty() bool {
	return len(r.Filter) == 0 && r.Sample.all() && !r.Changes() && !r.RequireCoverage
}

// Changes says that the rules change records, beyond leaving some out.
func (r *Rules) Changes() bool { return len(r.Mask) > 0 || r.maps() }

func (r *Rules) maps() bool {
	return len(r.Tables)+len(r.Endpoints)+len(r.Set)+len(r.Rename)+len(r.Remove)+len(r.Key)+len(r.Value) > 0
}

// Steps names the steps that the rules have, in order, such as "filter, mask".
func (r *Rules) Steps() string {
	var steps []string
	add := func(name string, has bool) {
		if has {
			steps = append(steps, name)
		}
	}
	add("filter", len(r.Filter) > 0)
	add("sample", !r.Sample.all())
	add("mask", len(r.Mask) > 0)
	add("map", r.maps())
	return strings.Join(steps, ", ")
}

// Add appends o's rules to r's. Both filters must then hold; what can be said only once is o's where o says it.
func (r *Rules) Add(o Rules) {
	r.Filter = append(slices.Clip(r.Filter), o.Filter...)
	r.Mask = append(slices.Clip(r.Mask), o.Mask...)
	r.Tables = append(slices.Clip(r.Tables), o.Tables...)
	r.Endpoints = append(slices.Clip(r.Endpoints), o.Endpoints...)
	r.Set = append(slices.Clip(r.Set), o.Set...)
	r.Rename = append(slices.Clip(r.Rename), o.Rename...)
	r.Remove = append(slices.Clip(r.Remove), o.Remove...)
	r.Strict = r.Strict || o.Strict
	r.RequireMatch = r.RequireMatch || o.RequireMatch
	r.RequireCoverage = r.RequireCoverage || o.RequireCoverage
	r.Sample.add(o.Sample)
	if o.MaskKey != "" {
		r.MaskKey, r.secret = o.MaskKey, o.secret
	}
	if o.Unmaskable != "" {
		r.Unmaskable = o.Unmaskable
	}
	if len(o.Key) > 0 {
		r.Key = o.Key
	}
	if len(o.Value) > 0 {
		r.Value = o.Value
	}
}

// hashVersion is part of every hash. It changes when the same rules would make other records.
const hashVersion = "karchive rules 2"

// Hash identifies what the rules do, tables and the mask key included, in 32 hex digits; of empty rules it is empty. It tells
// nothing about the key to who cannot guess it. What is stored is Identify's.
func (r *Rules) Hash() string {
	if r.Empty() {
		return ""
	}
	h := sha256.New()
	fmt.Fprintln(h, hashVersion)
	if err := json.NewEncoder(h).Encode(r.canonical()); err != nil {
		panic(err) // only plain data is encoded
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Identify is Hash for who stores it: an HMAC of it, in 32 hex digits of which the first 8 are its salt, or empty. Known is what was
// stored before, of which it takes the salt, or something to make one of.
func (r *Rules) Identify(known string) string {
	hash := r.Hash()
	if hash == "" {
		return ""
	}
	salt, err := hex.DecodeString(known)
	if err != nil || len(salt) != identitySize {
		made := sha256.Sum256([]byte(known))
		salt = made[:]
	}
	salt = salt[:saltSize]
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(hash))
	return hex.EncodeToString(append(salt, h.Sum(nil)[:identitySize-saltSize]...))
}

const (
	identitySize = 16 // bytes
	saltSize     = 4
)

// canonical is all that decides what records come out, in a fixed order of fields.
func (r *Rules) canonical() any {
	texts := make([]string, len(r.Filter))
	for i, e := range r.Filter {
		texts[i] = e.Text
	}
	tables := make([]any, len(r.Tables))
	for i := range r.Tables {
		tables[i] = r.Tables[i].canonical()
	}
	return struct {
		Filter            []string
		Sample            Sample
		Mask              []Mask
		Key               string
		Unmaskable        Unmaskable
		RequireMatch      bool
		RequireCoverage   bool
		Tables            []any
		Endpoints         []Endpoint
		Set               []Set
		Rename            []Rename
		Remove            []Selector
		TakeKey, TakeFrom []Selector
	}{
		texts, r.Sample, r.Mask, r.fingerprint(), r.Unmaskable.orDefault(), r.RequireMatch, r.RequireCoverage,
		tables, r.Endpoints, r.Set, r.Rename, r.Remove, r.Key, r.Value,
	}
}

// canonical is what decides what a table does. The encoder sorts maps, and makes the same of all bytes that are not UTF-8.
func (t *Table) canonical() any {
	entries, raw := maps.Clone(t.entries), map[string][]byte{}
	for from, to := range t.entries {
		if !utf8.ValidString(from) || !utf8.ValidString(to) {
			raw[hex.EncodeToString([]byte(from))] = []byte(to)
			delete(entries, from)
		}
	}
	return struct {
		Selector
		Else    Else
		Entries map[string]string
		Bytes   map[string][]byte `json:",omitempty"` // by the hex digits of what they replace
	}{t.Selector, t.Else.orDefault(), entries, raw}
}

// fingerprint stands for the mask key, where it matters.
func (r *Rules) fingerprint() string {
	if !r.usesKey() || r.secret == nil {
		return ""
	}
	h := hmac.New(sha256.New, r.secret)
	h.Write([]byte(hashVersion))
	return hex.EncodeToString(h.Sum(nil))
}

func (r *Rules) needsKey() bool {
	return slices.ContainsFunc(r.Mask, Mask.isKeyed)
}

// usesKey says that a mask key makes a difference: samples use it where there is one.
func (r *Rules) usesKey() bool { return r.needsKey() || !r.Sample.all() && !r.Sample.Random }

func (u Unmaskable) orDefault() Unmaskable {
	if u == "" {
		return Withhold
	}
	return u
}

func (e Else) orDefault() Else {
	if e == "" {
		return ElseWithhold
	}
	return e
}
