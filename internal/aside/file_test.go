package aside

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileAppearsWhenItIsWholeAndReplacesNone(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "out.csv")
	f, err := CreateFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("whole"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before commit: got %v", err)
	}
	second, err := CreateFile(to) // begun while nothing was there
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abandon()
	if err := second.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second: got %v", err)
	}
	second.Abandon()
	if _, err := CreateFile(to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the third: got %v", err)
	}
	if text, err := os.ReadFile(to); err != nil || string(text) != "whole" {
		t.Errorf("got %q, %v", text, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}
