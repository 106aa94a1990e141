package main

import (
	"slices"
	"testing"

	"github.com/karchive/karchive/internal/compare"
)

func TestWhatAProgramLeftUnreadWasNotCompared(t *testing.T) {
	got := unreadTexts([]compare.Result{{Name: "v1"}, {Name: "v2", Left: "group g: it has committed 1 of 2 in partition 0 of orders"}})
	if want := []string{"v2 ended by itself before it had read everything: group g: it has committed 1 of 2 in partition 0 of orders"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
