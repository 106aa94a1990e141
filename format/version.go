package format

import (
	"strconv"
	"strings"
)

// Version is the newest format version that this package writes, major.minor. What an older version can say names that one. A reader
// accepts any minor of a major that it knows: unknown columns and fields are ignored.
const Version = "1.5"

// parseVersion reads a format version: two decimal numbers with a dot between them.
func parseVersion(v string) (major, minor int, ok bool) {
	a, b, _ := strings.Cut(v, ".")
	major, okMajor := parseDecimal(a)
	minor, okMinor := parseDecimal(b)
	return major, minor, okMajor && okMinor
}

// parseDecimal takes the one spelling that a number has.
func parseDecimal(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && s == strconv.FormatUint(n, 10)
}

// checkVersion returns ErrVersion when what, whose version is v, has a newer major version than this package reads, and an error
// that wraps ErrCorrupt when v is no version.
func checkVersion(what, v string) error {
	major, _, ok := parseVersion(v)
	if !ok || major < 1 {
		return corruptf("%s has no valid format version: %.40q", what, v)
	}
	if known, _, _ := parseVersion(Version); major != known {
		return versionError(what, v)
	}
	return nil
}

// newerVersion says that v, which checkVersion accepts, has a newer minor version than this package writes.
func newerVersion(v string) bool { return laterVersion(v, Version) }

// laterVersion says that of two valid versions the first has the larger number.
func laterVersion(v, than string) bool {
	major, minor, _ := parseVersion(v)
	m, n, _ := parseVersion(than)
	return major > m || major == m && minor > n
}
