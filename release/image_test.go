package main

import (
	"archive/tar"
	"debug/elf"
	"encoding/pem"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// images reads a layout: the images of every platform that it has.
func images(t *testing.T, dir string) map[string]v1.Image {
	t.Helper()
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%d things in the layout: %v", len(manifest.Manifests), err)
	}
	if got := manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"]; got != "karchive:1.2.3-rc.1" {
		t.Errorf("the layout names %q", got)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Errorf("the image is not valid: %v", err)
	}
	inner, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]v1.Image{}
	for _, d := range inner.Manifests {
		if found[d.Platform.String()], err = index.Image(d.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// inImage are the files of an image, by name, and their headers.
func inImage(t *testing.T, image v1.Image) (contents map[string][]byte, headers map[string]*tar.Header) {
	t.Helper()
	contents, headers = map[string][]byte{}, map[string]*tar.Header{}
	flat := mutate.Extract(image)
	defer flat.Close()
	for r := tar.NewReader(flat); ; {
		h, err := r.Next()
		if err == io.EOF {
			return contents, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		headers[h.Name] = h
		if contents[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheImage(t *testing.T) {
	dir := made(t, aProgram(t), "image")
	found := images(t, dir)
	t.Run("has the program and nothing that runs besides", func(t *testing.T) { checkFiles(t, found) })
	t.Run("runs as nobody and says what it is", func(t *testing.T) { checkConfig(t, found) })
	t.Run("runs with nothing around", func(t *testing.T) { checkRuns(t, found) })
	t.Run("is for the platforms that are asked for", func(t *testing.T) {
		few := images(t, made(t, aProgram(t), "image", "-platforms", "windows/amd64,linux/arm64"))
		if got := slices.Collect(maps.Keys(few)); !slices.Equal(got, []string{"linux/arm64"}) {
			t.Errorf("got images for %v, want linux/arm64 only", got)
		}
	})
	t.Run("is the same bytes when it is made again", func(t *testing.T) {
		again := digests(t, made(t, aProgram(t), "image"))
		if first := digests(t, dir); !maps.Equal(first, again) {
			t.Errorf("got %v, then %v", first, again)
		}
	})
}

func checkFiles(t *testing.T, found map[string]v1.Image) {
	t.Helper()
	for platform, machine := range map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64} {
		image, ok := found[platform]
		if !ok {
			t.Errorf("no image for %s", platform)
			continue
		}
		contents, headers := inImage(t, image)
		checkStatic(t, contents["usr/bin/karchive"], machine)
		for name, h := range headers {
			if h.Typeflag == tar.TypeReg && h.Mode&0o111 != 0 && name != "usr/bin/karchive" {
				t.Errorf("%s: %s can be run", platform, name)
			}
			if h.Mode&0o6000 != 0 || h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
				t.Errorf("%s: %s has mode %o and type %c", platform, name, h.Mode, h.Typeflag)
			}
		}
		if h := headers["tmp"]; h == nil || h.Mode != 0o1777 {
			t.Errorf("%s: no place for temporary files: %v", platform, h)
		}
		if n := certificates(contents["etc/ssl/certs/ca-certificates.crt"]); n < 50 {
			t.Errorf("%s: %d certificates", platform, n)
		}
	}
	if len(found) != 2 {
		t.Errorf("images for %d platforms", len(found))
	}
}

func certificates(text []byte) (n int) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return n
		}
		n, text = n+1, rest
	}
}

func checkConfig(t *testing.T, found map[string]v1.Image) {
	t.Helper()
	for platform, image := range found {
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if got := file.OS + "/" + file.Architecture; got != platform {
			t.Errorf("%s: the image is for %s", platform, got)
		}
		c := file.Config
		if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/usr/bin/karchive"}) || len(c.Cmd) != 0 || c.StopSignal != "SIGTERM" {
			t.Errorf("%s: user %q, entrypoint %q, command %q, signal %q", platform, c.User, c.Entrypoint, c.Cmd, c.StopSignal)
		}
		for label, want := range map[string]string{"version": "1.2.3-rc.1", "licenses": "Apache-2.0", "created": "2026-11-18T11:06:40Z",
			"source": "https://github.com/karchive/karchive", "title": "karchive"} {
			if got := c.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s: label %s is %q, want %q", platform, label, got, want)
			}
		}
		contents, _ := inImage(t, image)
		if !strings.Contains(string(contents["etc/passwd"]), ":65532:65532:") {
			t.Errorf("%s: the user has no name", platform)
		}
	}
}
