package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// entry is a file of an archive.
type entry struct {
	name, file string
	mode       int64
}

// writeBundle writes the program with its licence, manual pages and completion: a tar file, or a zip file for Windows.
func (r *release) writeBundle(dir string, p platform, binary string) error {
	entries, err := r.entries(p, binary)
	if err != nil {
		return err
	}
	name, write := r.name(p)+".tar.gz", r.writeTar
	if p.os == "windows" {
		name, write = r.name(p)+".zip", r.writeZip
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f, entries); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.Close()
}

func (r *release) name(p platform) string {
	return fmt.Sprintf("%s_%s_%s_%s", p.edition(), r.number(), p.os, p.arch)
}

func (r *release) entries(p platform, binary string) ([]entry, error) {
	top := r.name(p) + "/"
	entries := []entry{{top + p.program(), binary, 0o755}}
	for _, doc := range []string{"LICENSE", "README.md", "SPEC.md"} {
		entries = append(entries, entry{top + doc, filepath.Join(r.source, doc), 0o644})
	}
	for _, pattern := range []string{"man/*.1", "completion/*"} {
		files, err := filepath.Glob(filepath.Join(r.work, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			entries = append(entries, entry{top + filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file), file, 0o644})
		}
	}
	return entries, nil
}

func (r *release) writeTar(w io.Writer, entries []entry) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, e := range entries {
		content, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(content)), ModTime: r.epoch, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

func (r *release) writeZip(w io.Writer, entries []entry) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		content, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: r.epoch}
		header.SetMode(os.FileMode(e.mode))
		f, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := f.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}
