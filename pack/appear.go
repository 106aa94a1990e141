package pack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// checkTarget refuses a directory that this packed archive is not for: another archive, another state, or one with segments of its own.
func (u *unpacking) checkTarget() error {
	m := u.p.Manifest
	id, _, err := format.LoadIdentity(u.into)
	if errors.Is(err, format.ErrNotArchive) {
		return fmt.Errorf("%w and is no archive", fs.ErrExist)
	}
	if err != nil {
		return err
	}
	if id.ArchiveID != m.ArchiveID {
		return fmt.Errorf("%w: it holds the archive %s, packed is %s", ErrWrongTarget, id.ArchiveID, m.ArchiveID)
	}
	lock, err := u.into.Lock(ondisk.Lock, "karchive unpack")
	if err != nil {
		return err
	}
	u.unlock = lock.Close
	_, identity, err := format.LoadIdentity(u.into)
	if err != nil {
		return err
	}
	lying, err := format.LyingSegments(u.into)
	if err != nil {
		return err
	}
	return u.compareTarget(fileOf(ondisk.Identity, identity), lying)
}

// ErrWrongTarget is wrapped by errors about a directory into which a packed archive cannot be unpacked.
var ErrWrongTarget = errors.New("not the directory that this goes into")

// compareTarget compares what lies in the target with the manifest.
func (u *unpacking) compareTarget(identity File, lying []format.Segment) error {
	m := u.p.Manifest
	known := m.Segments()
	var there []File
	for _, s := range lying {
		f, ok := known[s.Path]
		switch {
		case !ok:
			return fmt.Errorf("%w: it has %s, of which the packed archive does not know: it holds a later state, or another", ErrWrongTarget, s.Path)
		case f.Size != s.Size || s.SHA256 != "" && s.SHA256 != f.SHA256:
			return fmt.Errorf("%w: its %s is another than that of the packed archive", ErrWrongTarget, s.Path)
		}
		u.has[s.Path], there = true, append(there, f)
	}
	var lacking []File
	for _, f := range m.Presumed {
		if !u.has[f.Path] {
			lacking = append(lacking, f)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("%w: it lacks %s that are presumed: it is in the state %s, and this goes on from %s; unpack what was packed in between first",
			ErrWrongTarget, holds(lacking), short(contentsOf(identity, there)), short(m.Since.Contents))
	}
	if identity.SHA256 != m.Root[0].SHA256 && (m.Since == nil || identity.SHA256 != m.Since.Identity) {
		return fmt.Errorf("%w: its %s is neither the packed one nor the one of which this goes on", ErrWrongTarget, ondisk.Identity)
	}
	return nil
}

// appear gives the staging directory the target's name.
func (u *unpacking) appear(lock io.Closer) error {
	if err := u.stage.Remove(ManifestName); err != nil {
		return err
	}
	lock.Close()
	if err := u.stage.Remove(ondisk.Lock); err != nil {
		return err
	}
	closeFS(u.stage)
	// An empty directory may be in the place; Remove takes nothing else.
	if err := os.Remove(u.target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(u.staging, u.target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(u.target))
}

func syncDir(dir string) error {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	defer closeFS(fsys)
	return fsys.SyncDir(".")
}

// merge moves what was gathered into the archive that has the rest. Segments come first and karchive.json last: whenever it is interrupted, the
// archive can be read, and the same Unpack goes on.
func (u *unpacking) merge() error {
	made := map[string]bool{}
	for _, q := range u.open() {
		for _, f := range u.p.Manifest.Parts[q.number].Files {
			if slices.Contains(u.lost[q], f) {
				continue
			}
			if err := u.move(f.Path, made); err != nil {
				return err
			}
		}
	}
	for _, f := range []File{u.p.Manifest.Root[1], u.p.Manifest.Root[0]} {
		if err := u.replace(f.Path); err != nil {
			return err
		}
	}
	if err := u.into.SyncDir("."); err != nil {
		return err
	}
	closeFS(u.stage)
	return os.RemoveAll(u.staging)
}

// move gives a segment its place, where nothing may be.
func (u *unpacking) move(name string, made map[string]bool) error {
	if u.has[name] {
		return nil
	}
	dir := path.Dir(name)
	if err := makeDirs(u.into, dir, made); err != nil {
		return err
	}
	if _, err := u.into.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", filepath.Join(u.target, name), fs.ErrExist), err)
	}
	if err := u.replace(name); err != nil {
		return err
	}
	return u.into.SyncDir(dir)
}

// replace moves a file of the staging directory to its place. Both lie in one directory, so nothing is copied.
func (u *unpacking) replace(name string) error {
	return os.Rename(filepath.Join(u.staging, filepath.FromSlash(name)), filepath.Join(u.target, filepath.FromSlash(name)))
}
