package conformance

import (
	"testing"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
)

func TestTheFileSystemInMemoryKeepsTheContract(t *testing.T) {
	TestFS(t, func() storage.FS { return memfs.New(memfs.Options{}) })
}

func TestTheFileSystemInMemoryKeepsTheContractAfterACrash(t *testing.T) {
	TestFS(t, func() storage.FS { return memfs.New(memfs.Options{}).CrashBare() })
}

func TestTheFileSystemOnDiskKeepsTheContract(t *testing.T) {
	TestFS(t, func() storage.FS {
		fsys, err := storage.DirFS(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return fsys
	})
}

func TestADirectoryThatIsNotThereIsMadeByName(t *testing.T) {
	TestFS(t, func() storage.FS {
		fsys, err := storage.DirFS(t.TempDir() + "/above/archive")
		if err != nil {
			t.Fatal(err)
		}
		if err := fsys.Mkdir("."); err != nil {
			t.Fatal(err)
		}
		return fsys
	})
}
