// Package storage says what package format asks of a place in which archives lie: an [FS] is a file system, a [Store] keeps whole objects, a bucket say, and a
// [ReadFS] is enough to read. It has the directory, for one who writes ([DirFS]) and for several ([ShareDir]), and what io/fs reads ([FromFS]); package bucket
// has the buckets, package pack the packed archives. Who has archives elsewhere implements one of these.
package storage

import (
	"errors"
	"io"
	"io/fs"

	"github.com/karchive/karchive/internal/durable"
)

// ErrLocked is wrapped when another process holds a lock; the message says who.
var ErrLocked = errors.New("archive is locked")

// ErrGone is wrapped when the directory of an archive, or one in it, was deleted while it was open for writing.
var ErrGone = durable.ErrGone

// ReadFS is all that reading an archive asks of the place where it lies: files by name, and ranges of them. Names are slash-separated
// paths relative to the archive's root; no name leads outside it. Implementations are safe for concurrent use.
type ReadFS interface {
	// Open opens a file for reading. It fails with fs.ErrNotExist, and for anything that is not a regular file.
	Open(name string) (ReadFile, error)
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a name without following a link.
	Stat(name string) (fs.FileInfo, error)
}

// ReadFile is an open file of a ReadFS. ReadAt may be called by several goroutines at once.
type ReadFile interface {
	io.ReaderAt
	io.Closer
	// Size is the file's length in bytes.
	Size() (int64, error)
}

// FS is a ReadFS that an archive can also be written to. DirFS is the one on disk; tests use one in memory that can fail and crash at
// any operation.
//
// Implementations are safe for concurrent use on different names.
type FS interface {
	ReadFS
	// Create makes a new file for writing, readable by owner and group at most as the umask allows. It fails with fs.ErrExist when
	// the name is taken.
	Create(name string) (File, error)
	// OpenAppend opens a file for reading and appending, making it when it is not there.
	OpenAppend(name string) (File, error)
	// Link gives a file a second name. It fails with fs.ErrExist when newname is taken, and with errors.ErrUnsupported where the file system
	// has no links.
	Link(oldname, newname string) error
	// Rename moves a file, replacing newname.
	Rename(oldname, newname string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// Mkdir makes one directory. It fails with fs.ErrExist when the name is taken.
	Mkdir(name string) error
	// SyncDir makes the entries of a directory durable. Where the system cannot sync directories it does nothing.
	SyncDir(name string) error
	// Lock takes the exclusive lock file name, making it when it is not there, and writes holder into it. When another process
	// holds it the error wraps ErrLocked and carries what that process wrote. The lock ends with Close or with the process.
	Lock(name, holder string) (io.Closer, error)
	// Share takes the lock file for one of several who hold it together; holder is what each of them writes into it. Lock fails while one of
	// them is left, and Share while somebody has it alone.
	Share(name, holder string) (io.Closer, error)
}

// File is a file of an FS that is open for writing.
type File interface {
	ReadFile
	io.Writer
	// Truncate cuts the file to size bytes.
	Truncate(size int64) error
	// Sync makes the file's bytes durable. After an error nothing is known about them: it is never retried.
	Sync() error
}
