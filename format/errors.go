package format

import (
	"errors"
	"fmt"
)

var (
	// ErrCorrupt is wrapped by every error about bytes that are not what was written.
	ErrCorrupt = errors.New("corrupt")
	// ErrNotArchive is returned for a directory or file that holds no archive.
	ErrNotArchive = errors.New("not a karchive archive")
	// ErrLocked is wrapped when another process writes to the archive; the message says who.
	ErrLocked = errors.New("archive is locked")
	// ErrReadOnly is returned by writing calls on an archive opened with Open.
	ErrReadOnly = errors.New("archive is open read-only")
	// ErrMissingSegment is wrapped when SHA256SUMS lists a file that is not there.
	ErrMissingSegment = errors.New("segment is missing")
	// ErrSegmentExists is wrapped when a segment with the same base offset is already sealed.
	ErrSegmentExists = errors.New("segment exists")
	// ErrUnlisted is wrapped for a segment without a line in SHA256SUMS: OpenForWriting adds it after a deep check.
	ErrUnlisted = errors.New("segment is not listed in SHA256SUMS")
	// ErrForeignFile is wrapped for a file in data/ that is no segment.
	ErrForeignFile = errors.New("not a file of karchive")
	// ErrTopicCase is wrapped for a topic that differs only by case from another, on a file system that would put both into
	// one directory.
	ErrTopicCase = errors.New("topic differs from another only by case")
	// ErrGone is wrapped when the directory of an archive, or one in it, was deleted while it was open for writing.
	ErrGone = errors.New("the archive, or a part of it, was deleted while it was being written")
	// ErrTooLarge is wrapped for a record or a structure beyond a limit of the format.
	ErrTooLarge = errors.New("too large")
)

// VersionError is returned for an archive or segment of a newer major format version. It is not corruption.
type VersionError struct {
	What    string // the file
	Version string // the version it names
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %s, this program reads up to %s: use a newer karchive", e.What, e.Version, Version)
}

// ErrNoLinks is returned by FS.Link where the file system has no hard links.
var ErrNoLinks = errors.New("file system has no hard links")
