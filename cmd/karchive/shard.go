package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// completionIndex is where Kubernetes says which pod of an indexed Job it is, from 0.
const completionIndex = "JOB_COMPLETION_INDEX"

// shardFlag is --shard of replay.
func shardFlag(e *env, to *routing.Shard) cli.Flag {
	return parsed("shard", "play part `I/N` of the partitions, the first is 0/N, of N processes that play all; auto/N takes I from "+completionIndex, "all", to, e.parseShard)
}

// parseShard reads I/N, and auto/N in a pod of an indexed Job.
func (e *env) parseShard(text string) (routing.Shard, error) {
	count, auto := strings.CutPrefix(text, "auto/")
	if !auto {
		return routing.ParseShard(text)
	}
	index, _ := e.variable(completionIndex)
	if index == "" {
		return routing.Shard{}, errors.New("auto is for pods of an indexed Job: " + completionIndex + " is not set")
	}
	s, err := routing.ParseShard(index + "/" + count)
	if err != nil {
		err = fmt.Errorf("with I from %s: %v", completionIndex, err) // not wrapped: of wrapped errors flags show the inner one
	}
	return s, err
}

// completeShard hands over the shard. Each has files of its own, so that all may have the same command line.
func (o *replayOptions) completeShard(e *env) error {
	if o.shard.Count == 0 {
		if index, _ := e.variable(completionIndex); index != "" {
			e.warnf("%s is set, and --shard is not: every pod of this Job sends all that is selected", completionIndex)
		}
		return nil
	}
	switch {
	case isTable(o.archive):
		return &usageError{"--shard is for archives", "karchive import makes an archive of " + o.archive}
	case o.registry != "" && o.shard.Count > 1:
		return &usageError{"--shard and --schema-registry exclude each other: schemas are registered by one at a time",
			"before the shards, the same command with --filter 'offset < 0' and without --shard, --progress and --exactly-once registers them and sends nothing"}
	}
	o.replay.Shard = o.shard
	return nil
}

// completeProgress gives each shard a progress file of its own, and refuses to begin what those beside it say was begun in another number of shards:
// it would send again what they say is acknowledged.
func (o *replayOptions) completeProgress(ctx context.Context) error {
	if o.progress == "" {
		return nil
	}
	all := o.progress
	o.progress = shardFile(all, o.shard)
	if _, err := os.Stat(o.progress); err == nil { // it has begun
		return nil
	}
	beside, err := os.ReadDir(filepath.Dir(all))
	if err != nil {
		return nil // which is said where it is to be saved
	}
	for _, entry := range beside {
		s, ok := shardOfFile(filepath.Base(all), entry.Name())
		if !ok || s.Count == o.shard.Count || !entry.Type().IsRegular() {
			continue
		}
		name := filepath.Join(filepath.Dir(all), entry.Name())
		if _, err := replay.NewProgressFile(name).Load(ctx); err != nil {
			return err
		}
		return withHint(fmt.Errorf("%s has the progress of %s: what it says is acknowledged would be sent again", name, describeShard(s)),
			"go on "+asDivided(s)+"; or give another --progress file, which begins anew")
	}
	return nil
}

// describeShard is what a shard is of the whole replay.
func describeShard(s routing.Shard) string {
	if s.Count == 0 {
		return "this replay without shards"
	}
	return fmt.Sprintf("shard %s of this replay", s)
}

// asDivided says how to go on with a replay of which s is one shard.
func asDivided(s routing.Shard) string {
	if s.Count == 0 {
		return "without --shard, as it began"
	}
	return fmt.Sprintf("with --shard I/%d, as it began", s.Count)
}

// reportNames are the files of --report, for this shard.
func (o *replayOptions) reportNames() []string {
	var names []string
	for _, name := range o.reports.Value() {
		names = append(names, shardFile(name, o.shard))
	}
	return names
}

// shardFile puts a shard before the extension of a file's name: run.json becomes run.0-of-8.json.
func shardFile(name string, s routing.Shard) string {
	if s.Count == 0 {
		return name
	}
	extension := filepath.Ext(name)
	return fmt.Sprintf("%s.%d-of-%d%s", strings.TrimSuffix(name, extension), s.Index, s.Count, extension)
}

// shardOfFile finds out by its name which shard's file a file is, of those that share a name.
func shardOfFile(all, name string) (s routing.Shard, ok bool) {
	if name == all {
		return s, true
	}
	extension := filepath.Ext(all)
	rest, begins := strings.CutPrefix(name, strings.TrimSuffix(all, extension)+".")
	part, ends := strings.CutSuffix(rest, extension)
	if !begins || !ends {
		return s, false
	}
	s, err := routing.ParseShard(strings.Replace(part, "-of-", "/", 1))
	return s, err == nil && shardFile(all, s) == name
}

// noteShard says what this one of several does.
func (e *env) noteShard(p *replay.Plan) {
	if p.Shard.Count == 0 {
		return
	}
	partitions := 0
	for _, t := range p.Topics {
		partitions += len(t.Partitions)
	}
	e.notef("shard %s: %s of those that are selected", p.Shard, units.Of(int64(partitions), "partition"))
}
