package format

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

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
	// Problems is what is wrong: none, and the file is right. Each names the place in the file, "footer" or "row group 3" say, if it
	// is not the file as a whole, but not the file. They wrap ErrCorrupt or ErrMissingSegment, or are errors of reading, or say that the
	// file does not belong there.
	Problems []error

	BadGroups []int // row groups whose records cannot be trusted, in order; only a deep check finds them
	elsewhere bool  // the segment belongs to another place or to another source than its archive's
}

// Err joins the problems into one error that names the file; nil when there are none.
func (c *FileCheck) Err() error {
	var errs []error
	for _, p := range c.Problems {
		errs = append(errs, fmt.Errorf("%s: %w", c.Path, p))
	}
	return errors.Join(errs...)
}

func (c *FileCheck) add(where string, err error) {
	if err != nil {
		c.Problems = append(c.Problems, problemAt(where, err))
	}
}

// problemAt names the place of what is wrong; empty: the file as a whole.
func problemAt(where string, err error) error {
	if where == "" {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// Verify checks the archive on fsys, also one so damaged that Open refuses it, and calls report once a file: karchive.json and
// SHA256SUMS first, then the segments in order (those that are listed but missing too), then what does not belong there. It never
// writes. A segment that is not listed is checked deeply, because nothing else vouches for it. An error of report ends Verify and is
// returned. What is wrong with a file is reported, not returned: other errors are ErrNotArchive, ErrVersion, and those of
// listing the directories.
func Verify(fsys storage.ReadFS, o VerifyOptions, report func(FileCheck) error) error {
	v := &verifier{fsys: fsys, options: o, report: report}
	return v.run()
}

// verifier is one run of Verify or RebuildSums.
type verifier struct {
	fsys     storage.ReadFS
	options  VerifyOptions
	rebuild  bool // SHA256SUMS is being made: what it says of the segments does not count
	report   func(FileCheck) error
	identity *Identity // nil: karchive.json cannot be read
	stopped  atomic.Bool
	last     segmentCheck   // the segment before
	lines    []byte         // SHA256SUMS as it should be
	made     catalogBuilder // the catalog as it should be
	catalog  *catalog       // which is judged, too; nil: none
	lies     []error        // of the catalog
}

func (v *verifier) run() error {
	if err := v.checkIdentity(); err != nil {
		return err
	}
	sums, err := v.checkSums()
	if err != nil {
		return err
	}
	l, err := scan(v.fsys)
	if err != nil {
		return err
	}
	if v.identity != nil {
		l.cut(v.identity.Pruned)
	}
	missing := l.attach(sums)
	if l.unlisted() && !v.rebuild {
		// A capture that is under way may have sealed it after the sums were read.
		if again, err := readSums(v.fsys); err == nil {
			l.attach(again)
		}
	}
	all := l.withMissing(missing, sums)
	v.openCatalog(len(all))
	if err := v.checkSegments(all); err != nil {
		return err
	}
	if len(v.lies) > 0 {
		if err := v.report(FileCheck{Path: ondisk.Catalog, Problems: v.lies}); err != nil {
			return err
		}
	}
	for _, path := range l.foreign {
		if err := v.report(FileCheck{Path: path, Problems: []error{ondisk.ErrForeignFile}}); err != nil {
			return err
		}
	}
	return nil
}

// checkIdentity ends the run only where there is no archive, or one of a format that cannot be judged.
func (v *verifier) checkIdentity() error {
	c := FileCheck{Path: ondisk.Identity}
	id, err := readIdentity(v.fsys)
	switch {
	case errors.Is(err, ErrNotArchive) || errors.Is(err, ErrVersion):
		return fmt.Errorf("verify: %w", err)
	case err == nil:
		v.identity = &id
	default:
		c.add("", err)
	}
	return v.report(c)
}

func (v *verifier) checkSums() (*sumsFile, error) {
	c := FileCheck{Path: ondisk.Sums}
	sums, err := readSums(v.fsys)
	if err != nil {
		c.add("", err)
		sums = &sumsFile{}
	}
	c.Problems = append(c.Problems, sums.problems...)
	if v.identity != nil {
		sums.cut(v.identity.Pruned)
	}
	if v.rebuild {
		return sums, nil
	}
	return sums, v.report(c)
}

// checkSegments checks segments several at a time, and reports them in order.
func (v *verifier) checkSegments(list []Segment) error {
	at := 0 // of the one that is reported next
	work := func(i int) segmentCheck {
		s := list[i]
		if s.Size == missingSize {
			c := segmentCheck{FileCheck: FileCheck{Path: s.Path, Segment: &s}}
			c.add("", ErrMissingSegment)
			return c
		}
		if v.rebuild {
			s.SHA256 = ""
		} else if d, ok := v.fsys.(digester); ok && s.SHA256 == "" {
			s.SHA256, _ = d.SHA256(s.Path) // unknown, it is checked to the last record
		}
		return checkSegment(v.fsys, s, v.options.Deep || s.SHA256 == "", v.stopped.Load)
	}
	return inOrder(len(list), v.jobs(), work, func(c segmentCheck) error {
		listed := list[at]
		at++
		if isGone(c.err()) && prunedNow(v.fsys, *c.Segment) {
			return nil // meanwhile
		}
		v.checkBeside(&c)
		v.last = c
		if v.rebuild {
			v.lines = append(v.lines, sumsLine(c.sha256, c.Path)...)
			v.note(&c)
		}
		v.checkCatalog(&c, listed)
		err := v.report(c.FileCheck)
		v.stopped.Store(err != nil)
		return err
	})
}

// note has a segment in the catalog that is made.
func (v *verifier) note(c *segmentCheck) {
	s := *c.Segment
	s.SHA256 = c.sha256
	if e, ok := newEntry(s, c.Document); ok {
		v.made.add(e)
	}
}

// openCatalog reads the catalog of an archive of so many segments, to judge it.
func (v *verifier) openCatalog(segments int) {
	if v.rebuild || v.identity == nil || segments < catalogFrom {
		return
	}
	c, _, err := loadCatalog(v.fsys, v.identity.ArchiveID)
	if err == nil {
		err = c.entries(func(catalogEntry) {})
	}
	if v.catalog = c; err != nil && !errors.Is(err, ErrVersion) { // what a newer program wrote is as none
		v.lies = append(v.lies, err)
	}
}

// checkCatalog holds the catalog against a segment, as those who read the archive find it by what is listed. The segment is right.
func (v *verifier) checkCatalog(c *segmentCheck, listed Segment) {
	if v.catalog == nil || c.Document == nil || len(v.lies) == maxSumsProblems {
		return
	}
	if claimed := v.catalog.find(listed); claimed != nil && !sayTheSame(claimed, c.Document) {
		v.lies = append(v.lies, corruptf("it says something else of %s than that says itself", c.Path))
	}
}

func (v *verifier) jobs() int {
	if v.options.Jobs > 0 {
		return v.options.Jobs
	}
	return min(runtime.GOMAXPROCS(0), 4) // each holds a row group
}

// checkBeside checks a segment against the one before it and against karchive.json.
func (v *verifier) checkBeside(c *segmentCheck) {
	// Where several may write the lines are made at the end; the segment was checked to the last record.
	severalWrite := v.identity != nil && v.identity.Revision > 0
	if c.Segment.SHA256 == "" && !v.rebuild && !severalWrite {
		c.add("", errUnlisted)
	}
	if v.identity != nil {
		c.add("", c.Segment.checkEncoding(v.identity.Encoding))
	}
	if c.Document == nil {
		return
	}
	if v.last.Document != nil && v.last.Segment.TopicPartition == c.Segment.TopicPartition {
		c.add("", c.Segment.checkAdjoins(v.last.Document.NextOffset))
		c.add("footer", checkSameSource(v.last.Document.Source, c.Document.Source))
	}
	if v.identity != nil {
		if err := v.identity.checkSource(c.Document); err != nil {
			c.elsewhere = true
			c.add("footer", err)
		}
	}
}

// checkSource refuses a segment of another cluster or topic than the identity names.
func (id *Identity) checkSource(d *Document) error {
	if a, b := id.ClusterID, d.Source.ClusterID; a != "" && b != "" && a != b {
		return corruptf("its cluster is %s, that of the archive %s", b, a)
	}
	i, ok := slices.BinarySearchFunc(id.Topics, d.Topic, func(t origin.Topic, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return nil
	}
	if a, b := id.Topics[i].ID, d.Source.TopicID; a != "" && b != "" && a != b {
		return corruptf("its topic has the id %s, the archive's has %s", b, a)
	}
	return nil
}

func (a *Archive) checkSource(d *Document) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.identity.checkSource(d)
}

// missingSize is the Size of a Segment that is listed and not there.
const missingSize = -1

// withMissing lists all segments in order, with those that are listed and not there.
func (l *listing) withMissing(paths []string, sums *sumsFile) []Segment {
	var all []Segment
	for _, list := range l.segments {
		all = append(all, list...)
	}
	for _, path := range paths {
		s, _ := segmentAt(path) // a path that is listed is a segment's
		s.Size, s.SHA256 = missingSize, sums.digests[path]
		all = append(all, s)
	}
	slices.SortFunc(all, Segment.compare)
	return all
}

func (l *listing) unlisted() bool {
	for _, list := range l.segments {
		if slices.ContainsFunc(list, func(s Segment) bool { return s.SHA256 == "" }) {
			return true
		}
	}
	return false
}

// inOrder calls work for 0 to n-1, up to jobs at once, and use with every result in order. After an error of use it starts nothing more,
// waits for what runs, and returns the error.
func inOrder[T any](n, jobs int, work func(int) T, use func(T) error) error {
	results := make(chan chan T, jobs-1) // and the one that is waited for
	quit := make(chan struct{})
	go func() {
		defer close(results)
		for i := range n {
			result := make(chan T, 1)
			select {
			case results <- result:
				go func() { result <- work(i) }()
			case <-quit:
				return
			}
		}
	}()
	var err error
	for result := range results {
		r := <-result
		if err != nil {
			continue
		}
		if err = use(r); err != nil {
			close(quit)
		}
	}
	return err
}

// digester is a ReadFS that knows of files what SHA256SUMS would say; empty: it does not.
type digester interface {
	SHA256(name string) (string, error)
}
