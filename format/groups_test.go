package format_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/test/groups"
)

func TestGroupsAreKeptAndNeedANewerVersion(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	id := a.Identity()
	id.Groups = groups.Two()
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	got := mustOpen(t, fsys).Identity()
	if got.Version != "1.2" || !reflect.DeepEqual(got.Groups, groups.Two()) {
		t.Errorf("got version %s and %+v, want 1.2 and %+v", got.Version, got.Groups, groups.Two())
	}
	got.Groups = nil
	if err := a.SetIdentity(got); err != nil {
		t.Fatal(err)
	}
	if got := mustOpen(t, fsys).Identity(); got.Version == "1.2" || got.Groups != nil {
		t.Errorf("without groups: got version %s and %+v, want the version before and none", got.Version, got.Groups)
	}
}

func TestGroupsThatCannotBeAreNotWritten(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t))
	id := a.Identity()
	id.Groups = groups.Two()
	id.Groups.Groups[1].Topics[0].Offsets[0] = -1
	if err := a.SetIdentity(id); err == nil || !strings.Contains(err.Error(), `group "b"`) {
		t.Errorf("got %v, want an error about group b", err)
	}
}
