package format

import (
	"io"
	"io/fs"
)

// FS is all that an archive asks of a file system. Names are slash-separated paths relative to the archive's root; no name leads
// outside it. [DirFS] is the one on disk; tests use one in memory that can fail and crash at any operation.
//
// Implementations are safe for concurrent use on different names.
type FS interface {
	// Open opens a file for reading. It fails with fs.ErrNotExist, and for anything that is not a regular file.
	Open(name string) (File, error)
	// Create makes a new file for writing, readable by owner and group at most as the umask allows. It fails with fs.ErrExist when
	// the name is taken.
	Create(name string) (File, error)
	// OpenAppend opens a file for reading and appending, making it when it is not there.
	OpenAppend(name string) (File, error)
	// Link gives a file a second name. It fails with fs.ErrExist when newname is taken, and with ErrNoLinks where the file system
	// has no links.
	Link(oldname, newname string) error
	// Rename moves a file, replacing newname.
	Rename(oldname, newname string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// Mkdir makes one directory. It fails with fs.ErrExist when the name is taken.
	Mkdir(name string) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a name without following a link.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the entries of a directory durable. Where the system cannot sync directories it does nothing.
	SyncDir(name string) error
	// Lock takes the exclusive lock file name, making it when it is not there, and writes holder into it. When another process
	// holds it the error wraps ErrLocked and carries what that process wrote. The lock ends with Close or with the process.
	Lock(name, holder string) (io.Closer, error)
}

// File is an open file of an FS.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Size is the file's length in bytes.
	Size() (int64, error)
	// Truncate cuts the file to size bytes.
	Truncate(size int64) error
	// Sync makes the file's bytes durable. After an error nothing is known about them: it is never retried.
	Sync() error
}
