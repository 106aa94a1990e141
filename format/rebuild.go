package format

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// RebuildSums writes SHA256SUMS anew from the segments that are there, after a deep check of every one; report is called as in
// Verify. When any file is wrong, or one that SHA256SUMS lists is missing, it fails and leaves SHA256SUMS as it is. It takes
// the archive's lock, where there is one. It fails with errors.ErrUnsupported for a place that cannot be written to.
func RebuildSums(fsys storage.ReadFS, report func(FileCheck) error) error {
	if _, err := fsys.Stat(ondisk.Identity); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rebuild %s: %w: %w", ondisk.Sums, ErrNotArchive, err)
	}
	var err error
	switch place := fsys.(type) {
	case storage.Store:
		err = newStoreWriter(place).rebuildSums(report)
	case storage.FS:
		var w *archiveWriter
		if w, err = newArchiveWriter(place); err == nil {
			err = errors.Join(w.rebuildSums(report), w.close())
		}
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", ondisk.Sums, err)
	}
	return nil
}

func (w *archiveWriter) rebuildSums(report func(FileCheck) error) error {
	var place storage.ReadFS = w.fsys
	if w.store != nil {
		place = w.store
	}
	if _, err := loadWritableIdentity(place); err != nil {
		return err
	}
	if w.store == nil {
		if err := w.prepareTemp(); err != nil {
			return err
		}
	}
	v, err := w.checkedSums(place, report)
	switch {
	case err != nil:
		return err
	case w.store != nil:
		err = w.store.Put(ondisk.Sums, v.lines, true)
	default:
		err = replaceFile(w.fsys, ondisk.Sums, v.lines)
	}
	if err != nil || v.made.segments < catalogFrom {
		return err
	}
	switch _, err := ownCatalog(place, v.identity.ArchiveID); {
	case errors.Is(err, ErrVersion): // which is not this program's to write
		return nil
	case err != nil:
		return fmt.Errorf("%s stays as it is: %w", ondisk.Catalog, err)
	}
	return w.putCatalog(&v.made, v.identity.ArchiveID)
}

// checkedSums checks everything, and returns what SHA256SUMS and the catalog should say.
func (w *archiveWriter) checkedSums(place storage.ReadFS, report func(FileCheck) error) (*verifier, error) {
	var wrong error // the first file that is
	v := &verifier{fsys: place, options: VerifyOptions{Deep: true}, rebuild: true, report: func(c FileCheck) error {
		if wrong == nil {
			wrong = c.Err()
		}
		if wrong == nil && c.Segment != nil && w.store == nil {
			// Its writer was perhaps killed before it could do this.
			wrong = w.dirs.Sync(c.Segment.Path)
		}
		return report(c)
	}}
	if err := v.run(); err != nil {
		return nil, err
	}
	return v, wrong
}
