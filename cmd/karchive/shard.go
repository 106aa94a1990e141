package main

import (
	"errors"
	"fmt"
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

// completeShard gives each shard files of its own, so that all may have the same command line.
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
			"before the shards, the same command without --shard and with --filter 'offset < 0' registers them and sends nothing"}
	}
	o.replay.Shard = o.shard
	if o.progress != "" {
		o.progress = shardFile(o.progress, o.shard)
	}
	return nil
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
