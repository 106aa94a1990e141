package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/registry"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/reshaping"
)

// restoring is how the schemas of an archive become those of a registry.
type restoring struct {
	ids     string
	restore *registry.Restore // nil: they do not
}

func (r *restoring) flag() cli.Flag {
	flag := choiceFlag("schema-ids", "ids that records name: `keep`, and an id that another schema has in the registry is an error; or map, and it is rewritten", &r.ids,
		string(registry.KeepIDs), string(registry.MapIDs))
	setCategory(flag, readingCategory)
	return flag
}

// restoreSchemas connects to the registry that was asked for, and has what records name registered there before they are sent.
func (o *replayOptions) restoreSchemas(ctx context.Context, e *env, cfg *connect.Config, archives []*format.Archive) error {
	if o.registry == "" {
		return nil
	}
	from, err := o.schemas(ctx, e, archives...)
	if err != nil {
		return err
	}
	if from == nil {
		return withHint(errors.New("there are no schemas to register"), "capture with --schema-registry, or the topic _schemas too, or give --schema ID=FILE")
	}
	target := o.reading
	target.known = nil
	client, err := target.openRegistry(ctx, e, cfg, o.timeout)
	if err != nil {
		return err
	}
	o.restore = registry.NewRestore(client, from, registry.IDs(o.ids), o.replay.DryRun)
	if err := o.restoreNamed(ctx, from, archives); err != nil {
		return restoreHint(err)
	}
	o.replay.Reshape = restored{ctx, o.replay.Reshape, o.restore}
	return nil
}

// restoreNamed registers what is likely to be named, so that what cannot be is known before anything is sent: what a capture kept, and of a
// registry's topic what has the names of the topics.
func (o *replayOptions) restoreNamed(ctx context.Context, from *schema.Set, archives []*format.Archive) error {
	for _, a := range archives {
		kept := map[int32]bool{}
		for _, s := range a.Identity().Schemas {
			kept[s.ID] = true
		}
		topics := topicsOf(o.takes, a)
		for _, s := range from.Schemas() {
			if !kept[s.ID] && !isOf(s, topics) {
				continue
			}
			if _, err := o.restore.Target(ctx, schema.Name{ID: s.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOf says whether a schema has the name of one of some topics.
func isOf(s origin.Schema, topics []string) bool {
	return slices.ContainsFunc(s.Versions, func(v origin.SchemaVersion) bool {
		return slices.Contains(topics, strings.TrimSuffix(strings.TrimSuffix(v.Subject, "-value"), "-key"))
	})
}

// schemaMap is what became of the schemas; none without a registry.
func (r *restoring) schemaMap() []registry.Restored {
	if r.restore == nil {
		return nil
	}
	return r.restore.Done()
}

// writeRestored prints which id each schema has in the target.
func writeRestored(e *env, all []registry.Restored) error {
	if len(all) == 0 {
		return nil
	}
	t := newTable(e.text)
	printable.Fprintf(t, "SCHEMA\tSUBJECT\tVERSION\tIN THE TARGET\t\n")
	for _, s := range all {
		target := "new"
		if s.Target != 0 {
			target = strconv.Itoa(int(s.Target))
		}
		printable.Fprintf(t, "%d\t%s\t%d\t%s\t%s\n", s.ID, s.Subject, s.Version, target, s.Action)
	}
	return t.Flush()
}

func restoreHint(err error) error {
	if taken, ok := errors.AsType[*registry.TakenError](err); ok && taken.ID != 0 {
		return withHint(err, "--schema-ids map registers it under another id, which records then name")
	}
	return err
}

// restored are rules, or none, whose records then name the schemas of a target.
type restored struct {
	ctx     context.Context
	rules   reshaping.Reshaper // nil: none
	restore *registry.Restore
}

const restoredSteps = "schema ids"

// Rules identifies the rules.
func (r restored) Rules(known string) string {
	if r.rules == nil {
		return restoredSteps
	}
	return r.rules.Rules(known)
}

// Steps says what they do.
func (r restored) Steps() string {
	if r.rules == nil {
		return restoredSteps
	}
	return r.rules.Steps() + ", " + restoredSteps
}

// Begin returns what one goroutine applies to records, and how it ends that.
func (r restored) Begin(how reshaping.Use) (apply applyFunc, end func()) {
	return afterRules(r.rules, how, func(_ format.TopicPartition, record *format.Record) error {
		return restoreHint(r.restore.Rewrite(r.ctx, record))
	})
}
