package kafkatest

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEachVersionOfKafkaHasADirectoryOfItsOwn(t *testing.T) {
	t.Setenv(LibsEnv, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // on other systems
	seen := map[string]string{}
	for _, version := range []string{"", "3.0.0", "4.4.0"} {
		t.Setenv(VersionEnv, version)
		dir, err := libsDir()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(filepath.Base(dir), Version()) {
			t.Errorf("version %q is in %s, want its name in that", version, dir)
		}
		if other, there := seen[dir]; there {
			t.Errorf("versions %q and %q are both in %s", version, other, dir)
		}
		seen[dir] = version
	}
	if n := strings.Count(string(pom), "${kafka.version}"); n != 2 {
		t.Errorf("the version is in the pom %d times, want 2: the broker and the tools", n)
	}
}
