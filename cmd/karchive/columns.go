package main

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/imports"
)

// columnFlags say which columns of a table make a record, and how CSV is spelled. They mean the same in import and in replay.
type columnFlags struct {
	mapping imports.Mapping
	csv     imports.CSVOptions
	unit    string
}

const columnCategory = "Columns"

func (f *columnFlags) flags() []cli.Flag {
	m := &f.mapping
	f.csv.Null = extract.DefaultNull
	flags := []cli.Flag{
		parsed("column", "the value, as `COLUMN` or COLUMN:TYPE, of text, base64, hex, json, number, bool", "the first that is left", &m.Value, imports.ParseColumn),
		parsed("key-column", "the key, as `COLUMN` or COLUMN:TYPE", "null", &m.Key, imports.ParseColumn),
		&cli.StringFlag{Name: "timestamp-column", Usage: "the timestamp, as `COLUMN`: a number, or a time such as 2026-03-01T12:00:00Z", Destination: &m.Timestamp},
		choiceFlag("time-unit", "what numbers there count since 1970: `ms`, s, us or ns", &f.unit, words(imports.TimeUnits())...),
		repeated("header-column", "a header, as `NAME=COLUMN` or NAME=COLUMN:TYPE; repeatable", &m.Headers, imports.ParseHeader),
		mayBeBlank(parsed("delimiter", "what separates columns of CSV: one `CHARACTER`, or tab", "comma", &f.csv.Comma, parseDelimiter)),
		&cli.BoolFlag{Name: "no-header", Usage: "the first line of CSV is a row; columns are called 1, 2, 3", Destination: &f.csv.NoHeader},
		mayBeBlank(parsed("null", "what in CSV stands for null, without quotes, as `TEXT`", extract.DefaultNull, &f.csv.Null, asItIs)),
	}
	for _, flag := range flags {
		setCategory(flag, columnCategory)
	}
	return flags
}

func words[T ~string](list []T) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// given says whether any column is named.
func (f *columnFlags) given() bool {
	m := &f.mapping
	return m.Value.Name != "" || m.HeaderList.Name != "" || m.Key.Name != "" || len(m.Object) > 0 || len(m.Headers) > 0 || m.Topic+m.Partition+m.Offset+m.Timestamp != ""
}

// spelled says whether any flag about the spelling of CSV is given.
func (f *columnFlags) spelled() bool {
	return f.csv.Comma != 0 || f.csv.NoHeader || f.csv.Null != extract.DefaultNull
}

var errDelimiter = errors.New("not one character: use comma, tab, semicolon, space, | or another that is no letter, digit, quote or line break")

func parseDelimiter(s string) (byte, error) {
	for name, c := range map[string]byte{"comma": ',', "tab": '\t', `\t`: '\t', "semicolon": ';', "space": ' '} {
		if s == name {
			return c, nil
		}
	}
	const never = "\"\r\n"
	if len(s) != 1 || s[0] >= utf8.RuneSelf || s[0] == 0 || strings.Contains(never, s) || s[0] >= '0' && s[0] <= '9' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' {
		return 0, errDelimiter
	}
	return s[0], nil
}
