package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/reshape"
)

// reshapeFlags are those that leave records out and change them. They mean the same in every command that has them.
type reshapeFlags struct {
	reading
	file  string
	rules reshape.Rules // of the flags alone

	sampled bool // --sample is given, perhaps 100%
}

const reshapeCategory = "Reshaping, in this order: filter, sample, mask, map; see karchive help reshape"

func (f *reshapeFlags) flags() []cli.Flag {
	r := &f.rules
	flags := []cli.Flag{
		&cli.StringFlag{Name: "rules", Usage: "take rules from a YAML `FILE`; flags add to them", Destination: &f.file},
		repeated("filter", "keep only records for which `EXPR` is true; repeatable, all must be true; see karchive help filter", &r.Filter, parseExpression),
		&cli.BoolFlag{Name: "strict", Usage: "end with an error when the filter cannot be decided for a record", Destination: &r.Strict},
		parsed("sample", "keep a `PART` of the entities, such as 5%, the same ones everywhere", "all", &r.Sample.Rate, f.notingSample),
		repeatedSet("sample-by", "of a sample: what names the entity, as `PATH`: key, headers.NAME, value.NAME (the first that is there), random[:SEED]", "key", r.Sample.ParseSampleBy),
		repeated("mask", "`PATH=ACTION`: "+reshape.ActionUsage()+"; or TOPIC:PATH=ACTION; repeatable", &r.Mask, reshape.ParseMask),
		&cli.StringFlag{Name: "mask-key", Usage: "the secret for hash and hash-format, and for samples, as `@FILE` or env:NAME", Destination: &r.MaskKey},
		parsed("unmaskable", "what becomes of records that a rule cannot be applied to: `withhold`, pass or redact", "withhold", &r.Unmaskable, reshape.ParseUnmaskable),
		&cli.BoolFlag{Name: "require-match", Usage: "withhold records in which the path of a rule leads nowhere", Destination: &r.RequireMatch},
		&cli.BoolFlag{Name: "require-coverage", Usage: "withhold records in which something looks personal, or cannot be looked at, and no rule is about it", Destination: &r.RequireCoverage},
		repeated("set", "give a field or header a value, as `PATH=VALUE`; repeatable", &r.Set, reshape.ParseSet),
		repeated("rename", "give a field or header another name, as `PATH=NAME`; repeatable", &r.Rename, reshape.ParseRename),
		repeated("remove", "take the field or header at `PATH` away; repeatable", &r.Remove, reshape.ParseSelector),
		repeated("key", "make what is at `PATH` the key", &r.Key, reshape.ParseSelector),
		repeated("value", "make what is at `PATH` the value", &r.Value, reshape.ParseSelector),
	}
	for _, flag := range flags {
		setCategory(flag, reshapeCategory)
	}
	return append(flags, f.schemaFlag())
}

func (f *reshapeFlags) notingSample(text string) (reshape.Rate, error) {
	f.sampled = true
	return reshape.ParseRate(text)
}

func setCategory(flag cli.Flag, category string) {
	switch f := flag.(type) {
	case *cli.GenericFlag:
		f.Category = category
	case *cli.StringFlag:
		f.Category = category
	case *cli.BoolFlag:
		f.Category = category
	}
}

// repeated is a flag whose every use adds one to a list.
func repeated[T any](name, usage string, to *[]T, parse func(string) (T, error)) cli.Flag {
	return repeatedSet(name, usage, "", func(s string) error {
		one, err := parse(s)
		*to = append(*to, one)
		return err
	})
}

func repeatedSet(name, usage, shown string, set func(string) error) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, DefaultText: shown, Value: &value{set: set, shown: shown}}
}

func parseExpression(s string) (reshape.Expression, error) { return reshape.Expression{Text: s}, nil }

// pipeline compiles the rules of the file and of the flags; nil when there are none. Files that a file of rules names lie beside it.
func (f *reshapeFlags) pipeline(ctx context.Context, e *env) (*reshape.Pipeline, error) {
	rules, err := f.fromFile(e)
	if err != nil {
		return nil, err
	}
	flags := f.rules
	if err := e.resolve(&flags, ""); err != nil {
		return nil, usage("%v", err)
	}
	rules.Add(flags)
	if err := f.checkSubjects(&rules); err != nil {
		return nil, err
	}
	if rules.Empty() {
		return nil, nil
	}
	p, err := reshape.Compile(rules)
	if wrong, ok := errors.AsType[*reshape.FilterError](err); ok {
		line, mark, _ := strings.Cut(wrong.Snippet(), "\n")
		return nil, &markedError{&usageError{wrong.Error(), line}, mark}
	}
	if err != nil {
		return nil, &usageError{err.Error(), "karchive help reshape explains rules"}
	}
	p.EndWith(ctx)
	return p, nil
}

func (f *reshapeFlags) fromFile(e *env) (reshape.Rules, error) {
	if f.file == "" {
		return reshape.Rules{}, nil
	}
	data, err := e.readFile(f.file)
	if err != nil {
		return reshape.Rules{}, err
	}
	rules, err := reshape.ParseRules(f.file, data)
	if err == nil && reflect.DeepEqual(rules, reshape.Rules{}) { // cut short, or written by a program that failed
		err = fmt.Errorf("%s: no rules in it", f.file)
	}
	if f.rules.MaskKey != "" {
		rules.MaskKey = "" // the flag's holds, and that of the file may not be there
	}
	if err == nil {
		err = e.resolve(&rules, filepath.Dir(f.file))
	}
	if err != nil {
		return reshape.Rules{}, &usageError{err.Error(), "karchive help reshape explains rules"}
	}
	return rules, nil
}

// resolve reads what rules name, and warns of a mask key that is no secret. Relative names of files are below dir.
func (e *env) resolve(rules *reshape.Rules, dir string) error {
	if err := rules.Resolve(e.sources(dir)); err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(rules.MaskKey, "@"); ok && connect.EverybodyReads(below(dir, name)) {
		e.warnf("the mask key is in a file that everybody on this machine can read, and who has it can try out what a hash stands for: chmod o-r it")
	}
	return nil
}

func below(dir, name string) string {
	if dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// sources read what rules name. Relative names of files are below dir.
func (e *env) sources(dir string) reshape.Sources {
	return reshape.Sources{
		ReadFile: func(name string) ([]byte, error) {
			return os.ReadFile(below(dir, name))
		},
		Getenv: e.variable,
	}
}
