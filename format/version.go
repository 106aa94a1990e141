package format

import (
	"strconv"
	"strings"
)

// newerVersion says that v, which CheckVersion accepts, has a newer minor version than this package writes.
func newerVersion(v string) bool {
	_, minor, _ := strings.Cut(v, ".")
	_, known, _ := strings.Cut(Version, ".")
	n, err := strconv.Atoi(minor)
	m, _ := strconv.Atoi(known)
	return err != nil || n > m
}
