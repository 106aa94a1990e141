//go:build kafka

package realkafka

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/kafkatest"
)

func TestTheSameSnapshotGivesTheSameBytes(t *testing.T) {
	source, client := newSource(t)
	fillForKill(t, client)
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		t.Run("many small segments", func(t *testing.T) {
			base := capture.Options{Topics: slices.Sorted(maps.Keys(partitionsOf)), RotateRecords: 40}
			checkSameBytes(t, source, e, base, []int{1, 4, 9})
		})
		t.Run("segments of several row groups", func(t *testing.T) {
			base := capture.Options{Topics: []string{killTopic}, RotateBytes: 20 << 20}
			checkSameBytes(t, source, e, base, []int{1, 3, 6})
		})
	})
}

// checkSameBytes captures again and again, each time in another manner, the last time interrupted at so many segments.
func checkSameBytes(t *testing.T, source *kafkatest.Broker, e format.Encoding, base capture.Options, interruptAt []int) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	createIn(t, dir, e)
	mustCapture(t, source, dir, base)
	want := dataTree(t, dir)
	for name, change := range map[string]func(*capture.Options){
		"again":                  func(*capture.Options) {},
		"one lane":               func(o *capture.Options) { o.Lanes = 1 },
		"many lanes":             func(o *capture.Options) { o.Lanes = 16 },
		"small fetches":          func(o *capture.Options) { o.FetchBytes = 4 << 10 },
		"large fetches one lane": func(o *capture.Options) { o.Lanes, o.FetchBytes = 1, 32<<20 },
	} {
		o, dir := base, filepath.Join(t.TempDir(), "run")
		change(&o)
		createIn(t, dir, e)
		mustCapture(t, source, dir, o)
		sameTree(t, name, dataTree(t, dir), want)
	}

	o, dir := base, filepath.Join(t.TempDir(), "interrupted")
	o.Lanes = 1
	createIn(t, dir, e)
	for _, segments := range interruptAt {
		interruptWhenSealed(t, source, dir, o, segments)
	}
	mustCapture(t, source, dir, base)
	sameTree(t, "interrupted and resumed", dataTree(t, dir), want)
	verifyDeep(t, dir)
}

// interruptWhenSealed captures until the archive in dir has so many segments, and ends the capture's context then.
func interruptWhenSealed(t *testing.T, b *kafkatest.Broker, dir string, o capture.Options, segments int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for len(sealed(t, dir)) < segments && ctx.Err() == nil {
			<-tick.C
		}
		cancel()
	}()
	if _, err := captureInto(ctx, t, b, dir, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("capture ended with %v before it could be interrupted at %d segments", err, segments)
	}
}
