package format

import (
	"errors"
	"fmt"

	"github.com/karchive/karchive/internal/ondisk"
)

var (
	// ErrCorrupt is wrapped by every error about bytes that are not what was written.
	ErrCorrupt = ondisk.ErrCorrupt
	// ErrNotArchive is returned for a directory or file that holds no archive.
	ErrNotArchive = ondisk.ErrNotArchive
	// ErrMissingSegment is wrapped when SHA256SUMS lists a file that is not there.
	ErrMissingSegment = errors.New("segment is missing")
	// ErrVersion is wrapped for an archive or segment of a newer major format version, and when one of a newer minor version
	// is to be written to. It is not corruption.
	ErrVersion = errors.New("use a newer karchive")
)

// What nobody is known to branch on.
var (
	errReadOnly = errors.New("archive is open read-only")
	// errUnlisted: OpenForWriting adds the line of such a segment after a deep check.
	errUnlisted = errors.New("segment is not listed in SHA256SUMS")
	// errTopicCase is for a file system that would put both topics into one directory.
	errTopicCase = errors.New("topic differs from another only by case")
)

// versionError says that what, a file, has format version v, which is newer than what this program knows.
func versionError(what, v string) error {
	return fmt.Errorf("%s has format version %s, this program reads up to %s: %w", what, v, Version, ErrVersion)
}
