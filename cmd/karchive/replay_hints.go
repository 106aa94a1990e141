package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// fixes are what to do about a finding of the preflight, in flags. The library's own words name none. A finding that is not here needs none.
var fixes = map[string]string{
	"checkpoint-topic-target": "--map it to another name, or leave it out",
	"group-members":           "stop its consumers, or leave it out of --groups",
	"group-shards":            "replay with --partitioner keep and topics apart, or move the groups with a replay without --shard",
	"group-unsent":            "replay from the offset of the group on, or leave it out of --groups",
	"group-partition":         "add partitions to the topic, or leave the partition out with --partitions",
	"log-append-time":         "set message.timestamp.type=CreateTime on the topic, or --timestamps now to say that they may be",
	"max-message-bytes":       "raise max.message.bytes of the topic, or --force to leave them out",
	"more-partitions":         "--partitioner key places records by key over all partitions",
	"partitions":              "--partitioner key or round-robin, a map such as --partitioner 5=0, or add partitions to the topic",
	"retention-ms":            "raise retention.ms of the topic (-1 keeps all), or --timestamps now",
	"sent-before":             "with --progress FILE or --exactly-once the same replay goes on and doubles nothing",
	"source-cluster":          "check the broker addresses; --map '*:=copy.*' gives the topics other names, --allow-source-cluster says that this cluster is meant",
	"timestamp-range":         "--until or --from to leave them out, --timestamps now, or --force to leave out just them",
	"timestamp-window":        "raise the two configs of the topic, --timestamps now, or --force to leave those records out",
}

// nameFixes puts flags in the place of what the library says about its findings.
func nameFixes(p *replay.Plan, o *replay.Options) {
	for i := range p.Findings {
		f := &p.Findings[i]
		fix, ok := fixes[f.Code]
		switch {
		case f.Code == "retention-ms" && isMade(p, f.Topic):
			fix = "--topic-config retention.ms=-1 makes a topic that keeps all; or --timestamps now"
		case f.Code == "source-cluster" && !slices.ContainsFunc(p.Topics, func(t replay.PlannedTopic) bool { return t.Topic == t.Target }):
			fix = "--allow-source-cluster if it is meant"
		case f.Code == "max-message-bytes" && p.Compression == "none":
			fix = "--compression zstd if that makes them small enough, " + fix
		case f.Code == "timestamp-window" && o.Timestamps == replay.ShiftTimestamps:
			fix = "raise the two configs of the topic, replay at --speed 1, or --timestamps now"
		}
		if ok {
			f.Fix = fix
		}
	}
}

// isMade says whether a replay makes a topic of the target.
func isMade(p *replay.Plan, target string) bool {
	return slices.ContainsFunc(p.Topics, func(t replay.PlannedTopic) bool { return t.Target == target && t.Create })
}

// replayErrorHint says what to do about an error of a replay, as far as its kind tells.
func replayErrorHint(err error) string {
	if _, ok := errors.AsType[*replay.MissingTopicsError](err); ok {
		return "--create-topics makes them as the archive describes them"
	}
	if refused, ok := errors.AsType[*replay.RefusedError](err); ok {
		return refused.Findings[0].Fix
	}
	switch {
	case errors.Is(err, replay.ErrFenced):
		return "the other one goes on from this one's last commit; for two at once give each a --replay-id of its own"
	case errors.Is(err, replay.ErrTransactionEnded):
		return "the same command goes on from the last commit"
	case errors.Is(err, replay.ErrNoGroup):
		return "karchive info --groups shows those it keeps, capture --groups makes it keep some"
	case errors.Is(err, replay.ErrGroups):
		return "the records are there: with --progress or --exactly-once the same command sets the groups and sends nothing twice, karchive groups restore sets them by time"
	case errors.Is(err, replay.ErrProgress):
		return "--restart sends everything again; or use the version of karchive that wrote it"
	}
	if mismatch, ok := errors.AsType[*replay.MismatchError](err); ok {
		return mismatchHint(mismatch)
	}
	if denied, ok := errors.AsType[*replay.DeniedError](err); ok {
		return deniedHint(denied)
	}
	return ""
}

func mismatchHint(e *replay.MismatchError) string {
	switch began, _ := routing.ParseShard(e.Saved); { // none without shards
	case e.What == "shard" && e.ReplayID != "":
		return "go on " + asDivided(began) + "; another --replay-id makes it another replay; --restart begins anew, and sends everything"
	case e.What == "shard":
		return "go on " + asDivided(began) + "; or give another --progress file, which begins anew"
	case e.ReplayID != "":
		return "another --replay-id makes it another replay; --restart begins " + e.ReplayID + " again, and sends everything"
	}
	return "give the options it was started with, or another --progress file to start anew"
}

func deniedHint(e *replay.DeniedError) string {
	if e.Operation == "IdempotentWrite" {
		return "grant IdempotentWrite on the cluster (or, since Kafka 2.8, Write on a topic), or give --acks 1, " +
			"which needs neither and may double records when an answer is lost"
	}
	return fmt.Sprintf("--exactly-once needs Write and Describe on transactional ids that begin with %s, "+
		"and Read, Write, Describe and, unless it exists, Create on topic %s", replay.TransactionPrefix, replay.CheckpointTopic)
}
