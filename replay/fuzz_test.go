package replay_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/test/seeds"
)

// FuzzHowToSend reads text as a partitioner, as a rule of a mapping and as a pace. What is taken is spelled as it is read, and a mapping
// makes no topic that Kafka would not have.
func FuzzHowToSend(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, s, topic string) {
		if len(s) > 4<<10 {
			return
		}
		if p, err := routing.ParsePartitioner(s); err == nil {
			again, err := routing.ParsePartitioner(p.String())
			if err != nil || again.String() != p.String() {
				t.Errorf("partitioner %q is spelled %s, which is %s, %v", s, p, again, err)
			}
		}
		if r, err := routing.ParseRule(s); err == nil && ondisk.CheckTopic(topic) == nil {
			to, err := routing.Mapping{r}.Topic(topic)
			if err == nil && ondisk.CheckTopic(to) != nil || err != nil && !strings.Contains(err.Error(), "not a topic mapping") {
				t.Errorf("rule %s makes %q of %s, %v", r, to, topic, err)
			}
		}
		for _, parse := range []func(string) (timeline.Pace, error){timeline.ParseSpeed, timeline.ParseRate, timeline.ParseBandwidth} {
			if p, err := parse(s); err == nil && p.String() == "" {
				t.Errorf("pace %q has no name", s)
			}
		}
	})
}

// FuzzProgressFile reads a file as the progress of a replay. What is taken comes back from a file that Save writes.
func FuzzProgressFile(f *testing.F) {
	seeds.Need(f)
	name := filepath.Join(f.TempDir(), "progress.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		must(t, os.WriteFile(name, text, 0o600))
		file := replay.NewProgressFile(name)
		state, err := file.Load(t.Context())
		if err != nil {
			return
		}
		must(t, file.Save(t.Context(), state))
		again, err := file.Load(t.Context())
		must(t, err)
		if !reflect.DeepEqual(again, state) {
			t.Errorf("saved %+v, loaded %+v", state, again)
		}
	})
}
