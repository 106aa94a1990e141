package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user of the image. Kubernetes can tell only from a number that it is not root.
const nobody = 65532

// writeImage writes an OCI layout of an image for Linux. It begins with nothing: no base image has to be fetched, trusted and kept up to
// date, and there is no shell in it.
func (r *release) writeImage(ctx context.Context, dir string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range r.platforms {
		if p.os != "linux" {
			continue
		}
		image, err := r.image(ctx, p)
		if err != nil {
			return fmt.Errorf("image for %v: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}},
		})
	}
	if !slices.ContainsFunc(r.platforms, func(p platform) bool { return p.os == "linux" }) {
		return fmt.Errorf("no platform of Linux is asked for, and an image is for no other")
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "karchive:" + strings.ReplaceAll(r.number(), "+", "-")}))
}

func (r *release) image(ctx context.Context, p platform) (v1.Image, error) {
	binary, err := r.binary(ctx, p)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range [][]imageFile{surroundings(), {{name: "usr/bin/", mode: 0o755}, {name: "usr/bin/karchive", mode: 0o755, content: program}}} {
		layer, err := r.layer(files)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return mutate.ConfigFile(image, r.config(image, p))
}

// config is what runs, as whom, and what the image says of itself.
func (r *release) config(image v1.Image, p platform) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		return nil
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = p.os, p.arch, v1.Time{Time: r.epoch}
	for i := range config.History {
		config.History[i] = v1.History{Created: v1.Time{Time: r.epoch}, CreatedBy: "make image"}
	}
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", nobody, nobody),
		Entrypoint: []string{"/usr/bin/karchive"},
		Env:        []string{"PATH=/usr/bin", "HOME=/var/lib/karchive"},
		WorkingDir: "/var/lib/karchive",
		StopSignal: "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "karchive",
			"org.opencontainers.image.description": "archives Kafka records into files that anyone can open, and replays them",
			"org.opencontainers.image.source":      "https://github.com/karchive/karchive",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     r.number(),
			"org.opencontainers.image.revision":    r.commit,
			"org.opencontainers.image.created":     r.epoch.Format("2006-01-02T15:04:05Z"),
		},
	}
	return config
}

// imageFile is a file of a layer, or a directory when its name ends in a slash.
type imageFile struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// surroundings are what the program looks for: certificates of public authorities, a directory for temporary files, and a name for its user.
func surroundings() []imageFile {
	var certificates bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil { // a file of certificates cannot say that one is trusted for some things only
			pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return []imageFile{
		{name: "etc/", mode: 0o755}, {name: "etc/ssl/", mode: 0o755}, {name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates.Bytes()},
		{name: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:0:root:/:/nologin\nkarchive:x:%d:%[1]d:karchive:/var/lib/karchive:/nologin\n", nobody)},
		{name: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:\nkarchive:x:%d:\n", nobody)},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "var/", mode: 0o755}, {name: "var/lib/", mode: 0o755}, {name: "var/lib/karchive/", mode: 0o750, owner: nobody},
	}
}

func (r *release) layer(files []imageFile) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.content)), ModTime: r.epoch, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}
