package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/pack"
)

// packedState is what verify and unpack say about a packed archive.
type packedState struct {
	Contents string   `json:"contents"` // of the manifest
	Since    string   `json:"since,omitempty"`
	Parts    int      `json:"parts"`
	Missing  []string `json:"missing"` // parts, in words
	SignedBy string   `json:"signed_by,omitempty"`
}

func newPackedState(p *pack.Pack) *packedState {
	s := &packedState{Contents: p.Manifest.Contents, Parts: len(p.Manifest.Parts), Missing: []string{}}
	if p.Manifest.Since != nil {
		s.Since = p.Manifest.Since.Contents
	}
	if p.SignedBy != nil {
		s.SignedBy = p.SignedBy.String()
	}
	return s
}

// open opens what is to be verified. A packed archive is compared with its manifest here; what it holds is nil when it is bad.
func (v *verification) open(ctx context.Context, e *env, o verifyOptions) (storage.ReadFS, error) {
	keys, err := o.trusted()
	if err != nil {
		return nil, err
	}
	p, packed, err := e.openPacked(o.archive, pack.OpenOptions{AllowMissing: true, Trust: keys})
	if !packed {
		if len(keys) > 0 {
			return nil, usage("--trust is for packed archives, and %s is none", o.archive)
		}
		return archiveFS(e, o.archive, false)
	}
	if err != nil {
		return nil, err
	}
	v.Packed, v.elsewhere = newPackedState(p), map[string]bool{}
	for _, problem := range p.Problems {
		if errors.Is(problem, fs.ErrNotExist) {
			v.Packed.Missing = append(v.Packed.Missing, problem.Error())
			if o.missing {
				continue
			}
		}
		v.Bad = append(v.Bad, badFile{Path: problem.File, Problems: []string{problem.Error()}})
	}
	for _, f := range p.Lacking() {
		v.elsewhere[f.Path] = true
	}
	if err := v.checkPacked(ctx, e, p); err != nil || len(v.Bad) > 0 {
		return nil, err
	}
	v.Files, v.Bytes = 0, 0 // counted again, with their records
	return p.FS(), nil
}

// checkPacked compares what is packed with the manifest.
func (v *verification) checkPacked(ctx context.Context, e *env, p *pack.Pack) error {
	progress := newProgress(e, "check parts")
	defer progress.done()
	var total int64
	for _, part := range p.Manifest.Parts {
		total += part.Bytes()
	}
	return p.Check(ctx, func(bytes int64) {
		v.Files, v.Bytes = v.Files+1, v.Bytes+bytes
		progress.set(min(v.Bytes, total), total, "")
	}, func(part, path string, err error) {
		v.Bad = append(v.Bad, badFile{Path: part + ": " + path, Problems: []string{err.Error()}})
	})
}
