package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/selection"
)

// reading is how keys and values that are written by a schema are read. It means the same in every command that has it.
type reading struct {
	files    []string
	raw      bool
	registry string
	known    *schema.Set // what a registry has fetched; nil: there is none
}

const readingCategory = "Schemas; see karchive help schemas"

// schemaFlag is --schema, of every command that has rules.
func (r *reading) schemaFlag() cli.Flag {
	flag := repeatedSet("schema", "read and write payloads by a schema from a file, as `SPEC`: "+schema.FileUsage+"; repeatable", "", func(s string) error {
		r.files = append(r.files, s)
		return nil
	})
	setCategory(flag, readingCategory)
	return flag
}

// rawFlag is --raw, of commands that show records.
func (r *reading) rawFlag() cli.Flag {
	return &cli.BoolFlag{Name: "raw", Usage: "show keys and values as their bytes, whether a schema is known or not", Category: readingCategory, Destination: &r.raw}
}

// schemas are the schemas that files and archives have; nil when there are none.
func (r *reading) schemas(ctx context.Context, e *env, archives ...*format.Archive) (*schema.Set, error) {
	s := r.known
	if s == nil {
		s = &schema.Set{}
	}
	for _, text := range r.files {
		f, err := schema.ParseFile(text, e.readFile)
		if err == nil {
			err = s.AddFiles(f)
		}
		if err != nil {
			return nil, &usageError{"--schema " + err.Error(), "karchive help schemas explains it"}
		}
	}
	for _, a := range archives {
		if err := addArchived(ctx, s, a); err != nil {
			return nil, err
		}
	}
	if s.Empty() && r.known == nil {
		return nil, nil
	}
	return s, nil
}

// show loads the schemas for rules, and for what is shown of records.
func (r *reading) show(ctx context.Context, e *env, a *format.Archive, rules *reshape.Pipeline, takes func(format.TopicPartition) bool) (*schema.Reader, error) {
	if r.raw {
		return &schema.Reader{}, r.load(ctx, e, rules, takes, a)
	}
	s, err := r.schemas(ctx, e, a)
	if err != nil {
		return nil, err
	}
	r.warnUnread(e, a)
	rules.ReadWith(s)
	return &schema.Reader{Set: s}, checkTypes(rules, topicsOf(takes, a))
}

// load loads the schemas for rules, and refuses masks whose results they cannot hold in the topics of what is taken, so that it is known before
// any record is shown, written or sent.
func (r *reading) load(ctx context.Context, e *env, rules *reshape.Pipeline, takes func(format.TopicPartition) bool, archives ...*format.Archive) error {
	if rules == nil {
		return r.checkRead()
	}
	s, err := r.schemas(ctx, e, archives...)
	if err != nil {
		return err
	}
	r.warnUnread(e, archives...)
	rules.ReadWith(s)
	return checkTypes(rules, topicsOf(takes, archives...))
}

// checkRead refuses schemas that nothing is read by.
func (r *reading) checkRead() error {
	if len(r.files) == 0 {
		return nil
	}
	return &usageError{"--schema is for rules that look into payloads, and there are none", "give --filter, --mask or another; karchive cat and extract show payloads by a schema, without --raw"}
}

// warnUnread says which schemas are for topics that none of the archives has: they are probably misspelled. One with an id may be of any topic.
func (r *reading) warnUnread(e *env, archives ...*format.Archive) {
	topics := selection.TopicsOf(archives...)
	for _, text := range r.files {
		of := schema.TopicOf(text)
		_, err := strconv.Atoi(of)
		isID := err == nil
		if len(archives) > 0 && !isID && !slices.ContainsFunc(topics, func(topic string) bool { return selection.Matches(of, topic) }) {
			e.warnf("--schema %s is for no topic of what is read", text)
		}
	}
}

func checkTypes(rules *reshape.Pipeline, topics []string) error {
	if err := rules.CheckTypes(topics); err != nil {
		return &usageError{err.Error(), "redact, drop and fixed=VALUE can make what fits a type; karchive help reshape says what they do"}
	}
	return nil
}

// topicsOf are the topics of archives of which something is taken.
func topicsOf(takes func(format.TopicPartition) bool, archives ...*format.Archive) (topics []string) {
	for _, a := range archives {
		for _, tp := range a.Partitions() {
			if takes(tp) && !slices.Contains(topics, tp.Topic) {
				topics = append(topics, tp.Topic)
			}
		}
	}
	return topics
}

// addArchived adds the schemas that an archive has, and those of a registry's topic in it.
func addArchived(ctx context.Context, s *schema.Set, a *format.Archive) error {
	if err := s.Add(a.Identity().Schemas...); err != nil {
		return err
	}
	if !slices.ContainsFunc(a.Partitions(), func(tp format.TopicPartition) bool { return tp.Topic == schema.TopicName }) {
		return nil
	}
	var t schema.Topic
	for r, err := range a.Records(ctx, format.Selection{Topics: []string{schema.TopicName}}) {
		if err == nil {
			err = t.Add(&r.Record)
		}
		if err != nil {
			return fmt.Errorf("read schemas from topic %s: %w", schema.TopicName, err)
		}
	}
	return s.Add(t.Schemas()...)
}

// noteUnread says that payloads were not read by their schemas.
func (e *env) noteUnread(r *schema.Reader) {
	if n, where, why := r.Failed(); n > 0 {
		e.warnf("%s could not be read by a schema and came as bytes; the first is %s: %v", units.Of(n, "payload"), where, why)
	}
}
