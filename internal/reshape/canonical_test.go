package reshape

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

// Fields that decide nothing about the records that come out, and why.
var notHashed = map[string]string{
	"Strict":                "it makes an error of what is left out otherwise",
	"MaskKey":               "the secret that it names counts, not its place",
	"secret":                "its fingerprint counts, in TestHashBindsEverythingThatChangesRecords",
	"Filter.line":           "it is of the file that the filter stood in",
	"Tables.File":           "the entries count, not their place",
	"Tables.entries":        "they are bytes of a file, in TestHashBindsEverythingThatChangesRecords",
	"Sample.By.Optional":    "it changes the report",
	"Mask.Optional":         "it changes the report",
	"Tables.Optional":       "it changes the report",
	"Endpoints.Optional":    "it changes the report",
	"Endpoints.In.Optional": "it changes the report",
	"Set.Optional":          "it changes the report",
	"Rename.Optional":       "it changes the report",
	"Remove.Optional":       "it changes the report",
	"Key.Optional":          "it changes the report",
	"Value.Optional":        "it changes the report",
}

// Two sets of rules that differ in a field that decides something must not take each other's progress, also where the field's zero value is
// left out of the canonical form.
func TestEveryFieldOfRulesIsInTheirHashOrHasAReason(t *testing.T) {
	var r Rules
	base := canonicalText(t, &r)
	seen := 0
	eachField(reflect.ValueOf(&r).Elem(), "", func(name string, field reflect.Value) {
		seen++
		if notHashed[name] != "" && !field.CanSet() {
			return
		}
		if !field.CanSet() {
			t.Errorf("%s is not exported, and has no reason to be left out of the hash", name)
			return
		}
		before := canonicalText(t, &r)
		setField(t, name, field)
		if after := canonicalText(t, &r); (after == before) != (notHashed[name] != "") {
			t.Errorf("%s: got a hash that changes with it: %t; a reason why not: %q", name, after != before, notHashed[name])
		}
		field.SetZero()
	})
	if base == canonicalText(t, &r) || seen < 40 {
		t.Errorf("%d fields were tried: the rules were not read", seen)
	}
}

// JSON makes the same of all bytes that are not UTF-8.
func TestRulesOfBytesThatAreNotTextHaveHashesOfTheirOwn(t *testing.T) {
	fixed := func(s string) Rules {
		return Rules{Mask: []Mask{{Selector: Selector{Path: "headers.a"}, Action: Fixed, Fixed: ParseConstant(s)}}}
	}
	table := func(from, to string) Rules {
		return Rules{Tables: []Table{{Selector: Selector{Path: "key"}, entries: map[string]string{from: to, "a": "b"}}}}
	}
	seen := map[string]string{}
	for name, r := range map[string]Rules{
		"fixed ff": fixed("\xff"), "fixed fe": fixed("\xfe"), "fixed fffd": fixed("\ufffd"), "fixed with a number of the same letters": fixed("\xd7m\xf8"),
		"fixed 1234": fixed("1234"), "from ff": table("\xff", "x"), "from fe": table("\xfe", "x"), "from fffd": table("\ufffd", "x"),
		"to ff": table("x", "\xff"), "to fe": table("x", "\xfe"), "from and to": table("\xff", "\xff"), "from hex": table("ff", "x"),
	} {
		h := r.Hash()
		if other, twice := seen[h]; twice {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[h] = name
	}
	if _, err := ParseRename("headers.a=\xff"); !errors.Is(err, ErrRule) {
		t.Errorf("a new name that is not UTF-8: got %v, want ErrRule", err)
	}
}

func canonicalText(t *testing.T, r *Rules) string {
	t.Helper()
	text, err := json.Marshal(r.canonical())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eachField gives use every field below v. Lists of structs have one element from then on.
func eachField(v reflect.Value, name string, use func(string, reflect.Value)) {
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		path := name + f.Name
		switch {
		case f.Anonymous:
			eachField(field, name, use)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
			field.Set(reflect.MakeSlice(f.Type, 1, 1))
			eachField(field.Index(0), path+".", use)
		case f.Type == reflect.TypeFor[Sample]():
			eachField(field, path+".", use)
		default:
			use(path, field)
		}
	}
}

func setField(t *testing.T, name string, field reflect.Value) {
	t.Helper()
	switch p := field.Addr().Interface().(type) {
	case *bool:
		*p = true
	case *[]string:
		*p = []string{"x"}
	case *uint64:
		*p = 1
	case *Span:
		*p = 1
	case *Constant:
		*p = ParseConstant("1")
	case *Rate:
		rate, err := ParseRate("5%")
		if err != nil {
			t.Fatal(err)
		}
		*p = rate
	default:
		if field.Kind() != reflect.String {
			t.Fatalf("%s: this test cannot set a %s", name, field.Type())
		}
		field.SetString("x")
	}
}
