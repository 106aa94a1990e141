package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/karchive/karchive/replay"
)

func TestErrorsOfAReplayLeadToAFlag(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&replay.MissingTopicsError{Topics: []string{"a"}}, "--create-topics"},
		{&replay.RefusedError{Findings: []replay.Finding{{Fix: "add partitions"}, {Fix: "nothing"}}}, "add partitions"},
		{fmt.Errorf("x: %w", replay.ErrFenced), "--replay-id"},
		{fmt.Errorf("x: %w", replay.ErrTransactionEnded), "the same command"},
		{fmt.Errorf("x: %w", replay.ErrProgress), "--restart"},
		{&replay.MismatchError{}, "--progress"},
		{&replay.MismatchError{ReplayID: "x"}, "--restart begins x"},
		{&replay.MismatchError{What: "shard", Saved: "1/4", ReplayID: "x-1of4"}, "--shard I/4, as it began; another --replay-id"},
		{&replay.MismatchError{What: "shard", ReplayID: "x"}, "without --shard, as it began; another --replay-id"},
		{&replay.MismatchError{What: "shard", Saved: "1/4"}, "--shard I/4, as it began; or give another --progress"},
		{&replay.DeniedError{Operation: "IdempotentWrite"}, "--acks 1"},
		{&replay.DeniedError{Operation: "Write"}, replay.TransactionPrefix},
		{errors.New("other"), ""},
	} {
		if got := hintFor(fmt.Errorf("step: %w", c.err)); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%T: hint %q, want %q in it", c.err, got, c.want)
		}
	}
}

func TestFixesNameFlagsWhereTheLibraryNamesNone(t *testing.T) {
	for _, c := range []struct {
		code, compression string
		timestamps        replay.Timestamps
		want              string
	}{
		{"partitions", "none", replay.KeepTimestamps, "--partitioner"},
		{"max-message-bytes", "none", replay.KeepTimestamps, "--compression zstd if"},
		{"max-message-bytes", "zstd", replay.KeepTimestamps, "raise max.message.bytes"},
		{"timestamp-window", "none", replay.KeepTimestamps, "--force"},
		{"timestamp-window", "none", replay.ShiftTimestamps, "--speed 1"},
		{"compaction", "none", replay.KeepTimestamps, "as it was"},
	} {
		p := &replay.Plan{Compression: c.compression, Findings: []replay.Finding{{Code: c.code, Fix: "as it was"}}}
		nameFixes(p, &replay.Options{Timestamps: c.timestamps})
		if got := p.Findings[0].Fix; !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.code, got, c.want)
		}
	}
}

func TestTheFixForTheSourceClusterKnowsWhetherTopicsHaveOtherNames(t *testing.T) {
	for target, want := range map[string]string{"orders": "--map", "copy.orders": "--allow-source-cluster if it is meant"} {
		p := &replay.Plan{Findings: []replay.Finding{{Code: "source-cluster"}}, Topics: []replay.PlannedTopic{{Topic: "orders", Target: target}}}
		nameFixes(p, &replay.Options{})
		if got := p.Findings[0].Fix; !strings.Contains(got, want) || strings.Contains(got, "--map") != (target == "orders") {
			t.Errorf("%s: %q, want %q in it", target, got, want)
		}
	}
}
