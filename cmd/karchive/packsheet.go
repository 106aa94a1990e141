package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

// sheetForms are the endings of transfer sheets.
var sheetForms = []string{".html", ".txt"}

func (o *packOptions) checkSheet() error {
	switch ext := filepath.Ext(o.sheet); {
	case o.sheet == "":
		return nil
	case ext != sheetForms[0] && ext != sheetForms[1]:
		return &usageError{"--sheet: a transfer sheet ends in .html or .txt", "give --sheet FILE" + sheetForms[0]}
	}
	return checkNoFile(o.sheet)
}

// newSheet is the transfer sheet without its files.
func (o *packOptions) newSheet(p *pack.Packing, result *packed) *reportpage.Sheet {
	return &reportpage.Sheet{Name: o.archive, Manifest: p.Manifest, Text: p.Text(), SignedBy: result.SignedBy, EncryptedTo: o.encryptTo.Value(),
		Verdict: result.Completeness.verdict(), Missing: result.Completeness.lines(), MadeBy: madeBy()}
}

// writePart writes a part, and says what the sheet tells of it.
func writePart(ctx context.Context, p *pack.Packing, i int, to *aside.File) (reportpage.PackedFile, error) {
	sum := sha256.New()
	if err := p.WritePart(ctx, i, io.MultiWriter(to, sum)); err != nil {
		return reportpage.PackedFile{}, err
	}
	info, err := to.Stat()
	if err != nil {
		return reportpage.PackedFile{}, err
	}
	return reportpage.PackedFile{Name: to.To, Size: info.Size(), SHA256: hex.EncodeToString(sum.Sum(nil)), Holds: p.Manifest.Parts[i].Holds()}, nil
}

// writeSheet looks at all that is packed, and writes the sheet.
func (o *packOptions) writeSheet(ctx context.Context, e *env, fsys storage.ReadFS, to *aside.File, sheet *reportpage.Sheet) (err error) {
	limitMemory(defaultMemory)
	if sheet.Archive, err = format.Open(fsys); err != nil {
		return err
	}
	defer sheet.Archive.Close()
	progress := newProgress(e, "look at records")
	defer progress.done()
	sheet.OnProgress = func(done, total int64) { progress.set(done, total, units.Of(done, "record")) }
	if strings.HasSuffix(o.sheet, sheetForms[0]) {
		return sheet.WriteHTML(ctx, to)
	}
	return sheet.WriteText(ctx, to)
}
