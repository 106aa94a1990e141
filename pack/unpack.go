package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// UnpackOptions say how a packed archive is unpacked.
type UnpackOptions struct {
	// OnProgress is told how many bytes were checked so far; nil is allowed.
	OnProgress func(done, total int64)
}

// stagingSuffix makes, with a dot in front, the name of the directory beside the target in which files are gathered until all are there.
const stagingSuffix = ".karchive-unpack"

// incoming is the file in the staging directory that is being written. It gets its own name when it is whole and durable.
const incoming = ".karchive-incoming"

// unpacking is an Unpack under way.
type unpacking struct {
	p       *Pack
	o       UnpackOptions
	target  string
	staging string
	into    storage.FS       // the target, locked; nil: there is none yet
	unlock  func() error     // gives up the target
	stage   storage.FS       // the staging directory
	has     map[string]bool  // segments that the target has
	lost    map[*part][]File // segments that are damaged, of parts of which not all need be there
	why     map[*part]error  // the first of them
	done    int64
	total   int64
	made    map[string]bool // directories in staging
}

// Unpack makes a directory of the packed archive. Every file is written beside the target, and checked against the manifest; when all are there
// and right, the directory gets its name. One that was interrupted goes on: what was written is checked again and stays.
//
// Of parts that are missing or damaged (see [OpenOptions].AllowMissing) segments are missing then, and what is found damaged only now is added to
// Problems; a later Unpack of them completes the archive. A packed file that goes on from an earlier state is unpacked into a directory that holds the archive in just that state. Nothing else
// may be in the target, and no segment is ever replaced.
func (p *Pack) Unpack(ctx context.Context, dir string, o UnpackOptions) error {
	if p.Manifest.Since != nil && len(p.Problems) > 0 {
		return fmt.Errorf("what goes on from an earlier state is unpacked whole: %w", p.problem())
	}
	u := &unpacking{p: p, o: o, has: map[string]bool{}, made: map[string]bool{}, lost: map[*part][]File{}, why: map[*part]error{}, unlock: func() error { return nil }}
	defer func() {
		u.unlock()
		closeFS(u.into)
	}()
	if err := u.prepare(dir); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	lock, err := u.begin()
	if err != nil {
		return fmt.Errorf("%s: %w", u.staging, err)
	}
	defer func() {
		lock.Close()
		closeFS(u.stage)
	}()
	if err := u.gather(ctx); err != nil {
		return err
	}
	if u.into != nil {
		return u.merge()
	}
	return u.appear(lock)
}

// prepare looks at the target before anything is written.
func (u *unpacking) prepare(dir string) (err error) {
	if u.target, err = filepath.Abs(dir); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(u.target); err == nil {
		u.target = real
	}
	parent, name := filepath.Split(u.target)
	u.staging = filepath.Join(parent, "."+name+stagingSuffix)
	entries, err := os.ReadDir(u.target)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case len(entries) == 0 && len(u.p.Manifest.Presumed) > 0:
		return fmt.Errorf("%w: there is no archive", u.p.Whole())
	case len(entries) == 0:
		return nil
	}
	if u.into, err = storage.DirFS(u.target); err != nil {
		return err
	}
	return u.checkTarget()
}

// begin makes the staging directory and locks it.
func (u *unpacking) begin() (lock io.Closer, err error) {
	if info, err := os.Lstat(u.staging); err == nil && !info.IsDir() {
		return nil, errors.New("it is in the way, and no directory")
	}
	if u.stage, err = storage.DirFS(u.staging); err != nil {
		return nil, err
	}
	if err := u.stage.Mkdir("."); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if lock, err = u.stage.Lock(ondisk.Lock, "karchive unpack"); err != nil {
		return nil, err
	}
	// What a killed Unpack of something else left there has no place in this archive.
	kept, err := readFile(u.stage, ManifestName)
	if err == nil && string(kept) == string(u.p.text) {
		return lock, nil
	}
	if err := u.clear(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := u.write(ManifestName, func(w io.Writer) error { _, err := w.Write(u.p.text); return err }); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// clear removes everything in the staging directory but the lock.
func (u *unpacking) clear() error {
	root, err := os.OpenRoot(u.staging)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := u.stage.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ondisk.Lock {
			continue
		}
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// gather writes what the target lacks into the staging directory, and checks all of it.
func (u *unpacking) gather(ctx context.Context) error {
	type work struct {
		part *part
		file File
	}
	var todo []work
	first, err := u.checkRoots(ctx)
	if err != nil {
		return err
	}
	for _, q := range u.open() {
		for _, f := range u.p.Manifest.Parts[q.number].Files {
			todo = append(todo, work{q, f})
			u.total += f.Size
		}
	}
	for _, f := range u.p.Manifest.Root {
		todo = append(todo, work{first, f})
		u.total += f.Size
	}
	for _, w := range todo {
		if err := u.take(ctx, w.part, w.file); err != nil && !u.loses(w.part, w.file, err) {
			return fmt.Errorf("%s: %s: %w", w.part.name, w.file.Path, err)
		}
		if u.done += w.file.Size; u.o.OnProgress != nil {
			u.o.OnProgress(u.done, u.total)
		}
	}
	for _, q := range u.open() {
		if lost := u.lost[q]; lost != nil {
			u.p.Problems = append(u.p.Problems, &PartError{q.number + 1, q.name, holds(lost), u.why[q]})
			u.p.damaged = append(u.p.damaged, lost...)
		}
	}
	return nil
}

// open are the parts that are there.
func (u *unpacking) open() []*part {
	return slices.DeleteFunc(slices.Clone(u.p.parts), func(q *part) bool { return q == nil })
}

// checkRoots reads the files that every part has, and returns a part of which they are right. One that is damaged there is not to be passed
// on, unless not all parts need be there.
func (u *unpacking) checkRoots(ctx context.Context) (sound *part, err error) {
	var bad []*PartError
	for _, q := range u.open() {
		wrong := u.checkRoot(ctx, q)
		if stopped := context.Cause(ctx); stopped != nil {
			return nil, stopped
		}
		if wrong == nil && sound == nil {
			sound = q
		}
		if wrong != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", q.name, wrong))
			bad = append(bad, &PartError{Part: q.number + 1, File: q.name, Err: wrong})
		}
	}
	if sound != nil && u.p.partly {
		u.p.Problems, err = append(u.p.Problems, bad...), nil
	}
	return sound, err
}

func (u *unpacking) checkRoot(ctx context.Context, q *part) (wrong error) {
	for _, f := range u.p.Manifest.Root {
		if err := q.copy(ctx, io.Discard, f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	q.checkRoot(func(path string, err error) { wrong = errors.Join(wrong, fmt.Errorf("%s: %w", path, err)) })
	return wrong
}

// loses says whether a segment that is damaged can be left out.
func (u *unpacking) loses(q *part, f File, err error) bool {
	source, ok := errors.AsType[*sourceError](err)
	if !ok || !u.p.partly || u.p.Manifest.Since != nil || slices.Contains(u.p.Manifest.Root, f) {
		return false
	}
	if u.lost[q] == nil {
		u.why[q] = source
	}
	u.lost[q] = append(u.lost[q], f)
	return true
}

// sourceError is that of a packed file which cannot be read, or is not what its manifest says.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// sink keeps apart what is wrong with the place that is written to.
type sink struct {
	io.Writer
	err error
}

func (s *sink) Write(b []byte) (n int, err error) {
	n, s.err = s.Writer.Write(b)
	return n, s.err
}

// take makes sure that a file is in the target or in the staging directory, whole and right. What is there is read again rather than believed: it
// may be from before a crash.
func (u *unpacking) take(ctx context.Context, q *part, f File) error {
	if u.has[f.Path] {
		if err := same(ctx, u.into, f); err != nil {
			return fmt.Errorf("the one that is there: %w", err)
		}
		return nil
	}
	err := same(ctx, u.stage, f)
	if stopped := context.Cause(ctx); stopped != nil {
		return stopped
	}
	if err == nil {
		return nil
	}
	if err := u.stage.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return u.write(f.Path, func(w io.Writer) error {
		to := &sink{Writer: w}
		err := q.copy(ctx, to, f)
		if err != nil && to.err == nil && ctx.Err() == nil {
			return &sourceError{err}
		}
		return err
	})
}

// same fails when a file is not there, or has other bytes.
func same(ctx context.Context, fsys storage.FS, f File) error {
	info, err := fsys.Stat(f.Path)
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return fmt.Errorf("%w: %d bytes, not %d", ErrCorrupt, info.Size(), f.Size)
	}
	d := newDigests()
	if err := copyFile(ctx, d.sha, fsys, f.Path, f.Size); err != nil {
		return err
	}
	if got := d.sha256(); got != f.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %s, not %s", ErrCorrupt, got, f.SHA256)
	}
	return nil
}

// write makes a file of the staging directory. Under its name there is all of it, durable, or nothing.
func (u *unpacking) write(name string, content func(io.Writer) error) error {
	if err := u.stage.Remove(incoming); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := u.stage.Create(incoming)
	if err != nil {
		return err
	}
	if err := content(file); err != nil {
		return errors.Join(err, file.Close(), u.stage.Remove(incoming))
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := makeDirs(u.stage, path.Dir(name), u.made); err != nil {
		return err
	}
	if err := u.stage.Rename(incoming, name); err != nil {
		return err
	}
	return u.stage.SyncDir(path.Dir(name))
}

// makeDirs makes a directory and those above it, durably. made are those that are known to be there.
func makeDirs(fsys storage.FS, dir string, made map[string]bool) error {
	if dir == "." || made[dir] {
		return nil
	}
	if err := makeDirs(fsys, path.Dir(dir), made); err != nil {
		return err
	}
	if err := fsys.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	made[dir] = true
	return fsys.SyncDir(path.Dir(dir))
}

func closeFS(fsys storage.FS) {
	if c, ok := fsys.(io.Closer); ok {
		c.Close()
	}
}
