package format

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/karchive/karchive/internal/ondisk"
)

// RebuildSums writes SHA256SUMS anew from the segments that are there, after a deep check of every one; report is called as in
// Verify. When any file is wrong, or one that SHA256SUMS lists is missing, it fails and leaves SHA256SUMS as it is. It takes
// the archive's lock.
func RebuildSums(fsys FS, report func(FileCheck) error) error {
	if _, err := fsys.Stat(ondisk.Identity); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rebuild %s: %w: %w", ondisk.Sums, ErrNotArchive, err)
	}
	w, err := newArchiveWriter(fsys)
	if err == nil {
		err = errors.Join(w.rebuildSums(report), w.close())
	}
	if err != nil {
		return fmt.Errorf("rebuild %s: %w", ondisk.Sums, err)
	}
	return nil
}

func (w *archiveWriter) rebuildSums(report func(FileCheck) error) error {
	if _, err := loadWritableIdentity(w.fsys); err != nil {
		return err
	}
	if err := w.prepareTemp(); err != nil {
		return err
	}
	var wrong error // the first file that is
	v := &verifier{fsys: w.fsys, options: VerifyOptions{Deep: true}, rebuild: true, report: func(c FileCheck) error {
		if wrong == nil {
			wrong = c.Err()
		}
		if wrong == nil && c.Segment != nil {
			// Its writer was perhaps killed before it could do this.
			wrong = w.syncDirs(c.Segment.TopicPartition)
		}
		return report(c)
	}}
	if err := v.run(); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return replaceFile(w.fsys, ondisk.Sums, v.lines)
}
