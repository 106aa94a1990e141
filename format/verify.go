package format

// VerifyOptions says how thoroughly to verify. The zero value hashes every file and checks footers, documents and their order.
type VerifyOptions struct {
	Deep bool // also decode every record and check digests, order and coverage
	Jobs int  // files checked at once, each holding a row group in memory when Deep; 0: up to 4, by the processors there are
}

// FileCheck is what Verify found in one file.
type FileCheck struct {
	Path     string    // relative to the archive's root
	Segment  *Segment  // nil when the file is no segment: karchive.json, SHA256SUMS, a foreign file
	Document *Document // nil when there is none or it cannot be read
	Problems []Problem // none: the file is right
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	Where string // the place in the file, "footer" or "row group 3" say; empty: the file as a whole
	Err   error  // what is wrong: wraps ErrCorrupt, ErrMissingSegment, ErrUnlisted or ErrForeignFile, or is the error of reading
}

// String is the problem on one line, without the file.
func (p Problem) String() string {
	if p.Where == "" {
		return p.Err.Error()
	}
	return p.Where + ": " + p.Err.Error()
}

// Verify checks the archive on fsys, also one so damaged that Open refuses it, and calls report once a file: karchive.json and
// SHA256SUMS first, then the segments in order (those that are listed but missing too), then what does not belong there. It never
// writes. An error of report ends it and is returned. What is wrong with a file is reported, not returned: the error is
// ErrNotArchive, a *VersionError or that of listing the directories.
func Verify(fsys FS, o VerifyOptions, report func(FileCheck) error) error { panic("todo") }

// RebuildSums writes SHA256SUMS anew from the segments that are there, after a deep check of every one; report is called as in
// Verify. When any file is wrong, or one that SHA256SUMS lists is missing, it fails and leaves SHA256SUMS as it is. It takes
// the archive's lock.
func RebuildSums(fsys FS, report func(FileCheck) error) error { panic("todo") }
