package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// PartName is the name of part number i, counted from 0, of n: run-2-of-3.karchive for run.karchive. Numbers have the same width, so that names sort.
// A packed file of one part has the name itself.
func PartName(name string, i, n int) string {
	if n <= 1 {
		return name
	}
	dir, file := filepath.Split(name)
	stem, ext, dot := strings.Cut(file, ".")
	if dot {
		ext = "." + ext
	}
	width := len(strconv.Itoa(n))
	return filepath.Join(dir, fmt.Sprintf("%s-%0*d-of-%d%s", stem, width, i+1, n, ext))
}

var partName = regexp.MustCompile(`^([^.]*)-([0-9]{1,9})-of-([0-9]{1,9})(\..*)?$`)

// whole is the name from which PartName made that of a part; ok is false for other names.
func whole(name string) (string, bool) {
	dir, file := filepath.Split(name)
	m := partName.FindStringSubmatch(file)
	if m == nil {
		return "", false
	}
	return filepath.Join(dir, m[1]+m[4]), true
}

// Find returns the files of the packed archive that is called name: a file, or the parts of which one is there. A directory, and a name of which there
// is nothing, has none.
func Find(name string) []string {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil && (namedPacked(name) || looksPacked(name)):
		return []string{name}
	case errors.Is(err, fs.ErrNotExist):
		return anyPart(name)
	}
	return nil
}

// namedPacked says whether a file is taken for a packed one whatever it begins with.
func namedPacked(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(name, ".age"), ".karchive")
}

// looksPacked says whether a file begins as packed ones do, encrypted or not.
func looksPacked(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	begin := make([]byte, localBytes+len(ManifestName))
	n, _ := f.ReadAt(begin, 0)
	begin = begin[:n]
	return bytes.HasPrefix(begin, ageMagic) || bytes.HasPrefix(begin, armorMagic) || bytes.HasPrefix(begin, []byte("PK\x03\x04")) && bytes.HasSuffix(begin, []byte(ManifestName))
}

// anyPart finds the parts of a name that is itself not there.
func anyPart(name string) []string {
	dir, _ := filepath.Split(name)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if w, ok := whole(path); ok && w == filepath.Clean(name) && e.Type().IsRegular() {
			return []string{path}
		}
	}
	return nil
}
