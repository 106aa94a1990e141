package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// groupsGolden is the golden ledger with consumer groups.
var groupsGolden = filepath.Join(goldenDir, "golden-1.2-groups")

var goldenGroups = origin.Groups{
	TakenAt: "2026-11-28T10:00:00Z",
	Ends:    []origin.TopicEnds{{Topic: "orders", Partitions: []int32{0, 1, 2}, Ends: []int64{100, 7, 3}}},
	Groups: []origin.Group{
		{ID: "billing", State: "Stable", ProtocolType: "consumer", Topics: []origin.GroupOffsets{
			{Topic: "orders", Partitions: []int32{0, 2}, Offsets: []int64{16, 3}, LeaderEpochs: []int32{1, -1}, Metadata: []string{"", "host ü"}},
		}},
		{ID: "tail \"/\" 終", Topics: []origin.GroupOffsets{
			{Topic: "orders", Partitions: []int32{0, 1}, Offsets: []int64{1 << 62, 0}, LeaderEpochs: []int32{7, 0}},
		}},
	},
	Unread: []origin.UnreadGroup{{ID: "secret", Reason: "GROUP_AUTHORIZATION_FAILED"}},
}

func TestTheGoldenGroupsAreReadAndWrittenAsTheyAre(t *testing.T) {
	renewed(t, groupsGolden, func(root string) error {
		identity := ledgerIdentity
		identity.Groups = &goldenGroups
		return writeLedger(root, identity)
	}, ledgerSegments())
	if got, want := dataFiles(t, groupsGolden), dataFiles(t, ledgerGolden); len(want) == 0 || !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d segments, want the %d of the golden ledger", len(got), len(want))
	}
	golden := identityOf(t, groupsGolden)
	if golden.Version != "1.2" || !reflect.DeepEqual(*golden.Groups, goldenGroups) {
		t.Errorf("got version %s and %+v, want 1.2 and %+v", golden.Version, *golden.Groups, goldenGroups)
	}
	fresh := filepath.Join(t.TempDir(), "groups")
	identity := ledgerIdentity
	identity.Groups = golden.Groups
	if err := writeLedger(fresh, identity); err != nil {
		t.Fatal(err)
	}
	if got, want := identityText(t, fresh, "groups"), identityText(t, groupsGolden, "groups"); !bytes.Equal(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func identityOf(t *testing.T, root string) format.Identity {
	t.Helper()
	a, err := format.OpenPath(root)
	if err != nil {
		t.Fatal(err)
	}
	return a.Identity()
}

// identityText is what karchive.json has from a member on, byte for byte.
func identityText(t *testing.T, root, member string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "karchive.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := bytes.Cut(text, []byte(`"`+member+`": `))
	if !found {
		t.Fatalf("%s has no %s", root, member)
	}
	return rest
}
