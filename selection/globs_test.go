package selection

import (
	"errors"
	"path"
	"testing"
)

func TestAGlobThatWouldTakeWhatAShellLeavesOutIsRefused(t *testing.T) {
	for pattern, ok := range map[string]bool{"[^a]*": true, "orders-[0-9]": true, "!a": true, "[!a]*": false, "orders-[!0-9]": false, "[a": false} {
		for of, check := range map[string]func([]string) error{"topic": CheckGlobs, "group": CheckGroupGlobs} {
			if err := check([]string{"x", pattern}); (err == nil) != ok || err != nil && !errors.Is(err, path.ErrBadPattern) {
				t.Errorf("%s %q: got %v, want it taken: %v", of, pattern, err, ok)
			}
		}
	}
}
