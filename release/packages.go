package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// writePackages writes a package for Debian and one for Red Hat, as packaging/nfpm.yaml says.
func (r *release) writePackages(dir string, p platform, binary string) error {
	if err := r.compressPages(); err != nil {
		return err
	}
	for _, kind := range []string{"deb", "rpm"} {
		info, packager, err := r.describe(kind, p, binary)
		if err != nil {
			return fmt.Errorf("describe %s: %w", kind, err)
		}
		f, err := os.Create(filepath.Join(dir, packager.ConventionalFileName(info)))
		if err != nil {
			return err
		}
		if err := packager.Package(info, f); err != nil {
			f.Close()
			return fmt.Errorf("make %s: %w", kind, err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) describe(kind string, p platform, binary string) (*nfpm.Info, nfpm.Packager, error) {
	packager, err := nfpm.Get(kind)
	if err != nil {
		return nil, nil, err
	}
	values := map[string]string{"VERSION": r.version, "ARCH": p.arch, "BINARY": binary, "WORK": r.work, "SOURCE": r.source}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(r.source, "release/packaging/nfpm.yaml"), func(name string) string { return values[name] })
	if err != nil {
		return nil, nil, err
	}
	info, err := config.Get(kind)
	if err != nil {
		return nil, nil, err
	}
	info.MTime = r.epoch
	info.Scripts.PostInstall = filepath.Join(r.source, "release/packaging/postinstall.sh")
	for _, c := range info.Contents {
		if c.FileInfo != nil {
			c.FileInfo.MTime = r.epoch
		}
	}
	info = nfpm.WithDefaults(info)
	return info, packager, nfpm.PrepareForPackager(info, kind)
}

// compressPages makes the manual pages as packages have them.
func (r *release) compressPages() error {
	pages, err := filepath.Glob(filepath.Join(r.work, "man", "*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(page+".gz", b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
