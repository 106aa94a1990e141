package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"

	"github.com/karchive/karchive/format"
)

// OpenOptions say how a packed file is opened. The zero value is right for one that is neither encrypted nor to be trusted.
type OpenOptions struct {
	// Identities decrypt what is encrypted to them.
	Identities []age.Identity
	// Trust are public keys, of which one must have signed the manifest; none: signatures are not looked at.
	Trust []PublicKey
	// AllowMissing opens what is there of a packed file of which parts are missing or bad.
	AllowMissing bool
}

// ErrEncrypted is wrapped by errors about an encrypted file and no identity that decrypts it.
var ErrEncrypted = errors.New("it is encrypted")

// PartError is a part of a packed archive that is missing, damaged, or of another one.
type PartError struct {
	Part  int    // from 1; 0: not known
	File  string // where it is or should be; empty: not known
	Holds string // what is lost with it, in words; empty: not known
	Err   error  // fs.ErrNotExist: it is missing
}

// Error names the part, its file, what is wrong with it and what is lost.
func (e *PartError) Error() string {
	what := "a part"
	if e.Part > 0 {
		what = fmt.Sprintf("part %d", e.Part)
	}
	if e.File != "" {
		what += " (" + e.File + ")"
	}
	if e.Holds != "" {
		what += " with " + e.Holds
	}
	if errors.Is(e.Err, fs.ErrNotExist) {
		return what + " is missing"
	}
	return what + ": " + e.Err.Error()
}

// Unwrap is Err.
func (e *PartError) Unwrap() error { return e.Err }

// Pack is a packed archive that is open for reading. Close it.
type Pack struct {
	Manifest *Manifest
	// Signatures are the signatures over the manifest's bytes, by suffix.
	Signatures map[string][]byte
	// Problems are parts that are missing, bad, or belong to another packed archive. Without AllowMissing there are none.
	Problems []*PartError
	// SignedBy is the key of [OpenOptions].Trust that the signature is of; nil when none was asked for.
	SignedBy PublicKey

	text   []byte
	parts  []*part // by number; nil: missing
	partly bool    // missing and damaged parts are left out

	damaged []File // that Unpack left out
}

// Open opens a packed archive: one file, or parts. Other parts of the same are found beside the first one when their names are those that PartName
// makes.
func Open(files []string, o OpenOptions) (*Pack, error) {
	if len(files) == 0 {
		return nil, errors.New("open packed archive: no file given")
	}
	p := &Pack{partly: o.AllowMissing}
	err := p.open(files, o)
	if err == nil && len(p.Problems) > 0 && !o.AllowMissing {
		err = p.problem()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pack) problem() error {
	var all []error
	for _, e := range p.Problems {
		all = append(all, e)
	}
	return errors.Join(all...)
}

// candidate is a file that is perhaps a part.
type candidate struct {
	name string
	part *part // nil: err says why not
	err  error
}

func (p *Pack) open(files []string, o OpenOptions) error {
	var all []candidate
	for _, name := range withSiblings(files) {
		q, err := openFile(name, o.Identities)
		all = append(all, candidate{name, q, err})
	}
	first := slices.IndexFunc(all, func(c candidate) bool { return c.part != nil })
	if first < 0 {
		return fmt.Errorf("%s: %w", all[0].name, all[0].err)
	}
	err := p.begin(all[first].part)
	for _, c := range all {
		if wrong := p.take(c); wrong != nil {
			p.Problems = append(p.Problems, &PartError{Part: p.partOf(c.name), File: c.name, Err: wrong})
			if c.part != nil {
				c.part.closer.Close()
			}
		}
	}
	if err == nil {
		err = p.checkTrust(o.Trust)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", all[first].name, err)
	}
	p.nameMissing(all[first].name)
	return nil
}

// begin takes what all parts have in common from one.
func (p *Pack) begin(q *part) (err error) {
	p.Manifest, p.text, p.parts = q.manifest, q.text, make([]*part, len(q.manifest.Parts))
	p.Signatures, err = q.signatures()
	return err
}

// take adds a part, or says why it is none of this archive.
func (p *Pack) take(c candidate) error {
	q := c.part
	if q == nil {
		return c.err
	}
	if !bytes.Equal(q.text, p.text) {
		return fmt.Errorf("it is part %d of another packed archive, of contents %s, not of %s", q.number+1, short(q.manifest.Contents), short(p.Manifest.Contents))
	}
	signatures, err := q.signatures()
	if err != nil {
		return err
	}
	if !maps.EqualFunc(signatures, p.Signatures, bytes.Equal) {
		return fmt.Errorf("%w: its signatures are not those of the other parts", ErrCorrupt)
	}
	if other := p.parts[q.number]; other != nil {
		if n := p.partOf(c.name); n > 0 && n != q.number+1 {
			return fmt.Errorf("it is part %d again, as %s", q.number+1, other.name)
		}
		return q.closer.Close() // a copy
	}
	p.parts[q.number] = q
	return nil
}

// partOf is the number that a name says, from 1, if it is one of this archive.
func (p *Pack) partOf(name string) int {
	for i := range p.parts {
		if w, ok := whole(name); ok && PartName(w, i, len(p.parts)) == filepath.Clean(name) {
			return i + 1
		}
	}
	return 0
}

// nameMissing adds the parts that are not there to the problems, and says of all problems what is lost.
func (p *Pack) nameMissing(example string) {
	for i, q := range p.parts {
		if q != nil {
			continue
		}
		known := slices.IndexFunc(p.Problems, func(e *PartError) bool { return e.Part == i+1 })
		if known < 0 {
			known = len(p.Problems)
			e := &PartError{Part: i + 1, Err: fs.ErrNotExist}
			if w, ok := whole(example); ok {
				e.File = PartName(w, i, len(p.parts))
			}
			p.Problems = append(p.Problems, e)
		}
		p.Problems[known].Holds = p.Manifest.Parts[i].Holds()
	}
}

// Lacking are the segments of the archive that are not to be had here: presumed ones, those of parts that are missing, and those that Unpack left out.
func (p *Pack) Lacking() []File {
	lacking := slices.Clone(p.Manifest.Presumed)
	for i, q := range p.parts {
		if q == nil {
			lacking = append(lacking, p.Manifest.Parts[i].Files...)
		}
	}
	return append(lacking, p.damaged...)
}

// short is the beginning of a digest, which is enough for people.
func short(digest string) string { return digest[:min(len(digest), 12)] }

// withSiblings adds to files what lies beside them under the name of another part of the same.
func withSiblings(files []string) []string {
	all := slices.Clone(files)
	for _, f := range files {
		if stem, ok := whole(f); ok {
			all = addSiblings(all, stem)
		}
	}
	return all
}

func addSiblings(all []string, stem string) []string {
	dir, _ := filepath.Split(stem)
	entries, _ := os.ReadDir(filepath.Clean(dir + ".")) // one that cannot be read has none
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if w, ok := whole(name); ok && w == stem && e.Type().IsRegular() && !slices.ContainsFunc(all, func(f string) bool { return filepath.Clean(f) == name }) {
			all = append(all, name)
		}
	}
	return all
}

// openFile opens a file as a part, and decrypts it where it is encrypted.
func openFile(name string, identities []age.Identity) (*part, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", ErrNotPacked)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	p, err := openSource(f, info.Size(), identities)
	if err != nil {
		f.Close()
		return nil, err
	}
	p.name, p.closer = name, f
	return p, nil
}

func openSource(src io.ReaderAt, size int64, identities []age.Identity) (*part, error) {
	src, size, err := decrypted(src, size, identities)
	if err != nil {
		return nil, err
	}
	return openPart(src, size)
}

// Close closes the files. What was opened through FS can then no longer be read.
func (p *Pack) Close() error {
	var all []error
	for _, q := range p.parts {
		if q != nil {
			all = append(all, q.closer.Close())
		}
	}
	return errors.Join(all...)
}

// Check reads all that is packed and compares it with the manifest. bad is told of every file that is not what it says: the part's name, and
// the path of the file in it; done of the bytes that were read. It fails when the context ends.
func (p *Pack) Check(ctx context.Context, done func(bytes int64), bad func(part, path string, err error)) error {
	for _, q := range p.parts {
		if q == nil {
			continue
		}
		if err := q.check(ctx, done, func(path string, err error) { bad(q.name, path, err) }); err != nil {
			return err
		}
	}
	return nil
}

// OpenArchive opens an archive for reading, whether it lies in a directory or is packed.
func OpenArchive(name string, o OpenOptions) (*format.Archive, error) {
	files := Find(name)
	if files == nil {
		return format.OpenPath(name)
	}
	p, err := Open(files, o)
	if err != nil {
		return nil, err
	}
	a, err := format.Open(p.FS())
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("%s: %w", name, p.explain(err))
	}
	return a, nil
}

// ErrDelta is wrapped by errors about a packed file that holds only a part of an archive, because of Options.Since.
var ErrDelta = errors.New("it goes on from an earlier state of its archive, and is to be unpacked into that")

// Whole returns an error that wraps ErrDelta when the packed file does not hold the whole archive.
func (p *Pack) Whole() error {
	if p.Manifest.Since == nil {
		return nil
	}
	return fmt.Errorf("%w: %s are presumed, of contents %s", ErrDelta, segments(len(p.Manifest.Presumed)), short(p.Manifest.Since.Contents))
}

func (p *Pack) explain(err error) error {
	if wrong := p.Whole(); wrong != nil {
		return wrong
	}
	return err
}
