package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/format/storage"
)

func directory(t *testing.T, dir string) storage.FS {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func TestNothingLeadsOutOfTheDirectory(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "archive")
	secret := filepath.Join(dir, "secret")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.WriteFile(secret, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(inside, "data")); err != nil {
		t.Skip(err)
	}
	fsys := directory(t, inside)
	for _, name := range []string{"../secret", "data/secret", secret, "x/../../secret"} {
		if _, err := fsys.Open(name); err == nil {
			t.Errorf("opened %s", name)
		}
		if f, err := fsys.OpenAppend(name); err == nil {
			f.Close()
			t.Errorf("opened %s for appending", name)
		}
		if err := fsys.Remove(name); err == nil {
			t.Errorf("removed %s", name)
		}
	}
	if _, err := fsys.ReadDir("data"); err == nil {
		t.Error("listed what a link leads to")
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
}

func TestALinkIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(dir, "b")); err != nil {
		t.Skip(err)
	}
	if _, err := directory(t, dir).Open("b"); err == nil {
		t.Error("opened a symbolic link")
	}
}
