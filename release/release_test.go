package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// aProgram is a checkout of a program that is small, and is built as karchive is: what is tested is the recipe. make release-check builds
// karchive itself twice.
func aProgram(t *testing.T) (source string) {
	t.Helper()
	source = filepath.Join(t.TempDir(), "checkout")
	const text = `package main

import "os"

var version string

func main() {
	switch os.Args[1] {
	case "version":
		println("karchive", version)
	case "man":
		os.WriteFile(os.Args[3]+"/karchive.1", []byte(".TH KARCHIVE 1\n"), 0o644)
	case "completion":
		os.Stdout.WriteString("# " + os.Args[2] + "\n")
	case "leave":
		if err := os.WriteFile(os.TempDir()+"/left", nil, 0o644); err != nil || os.Getuid() == 0 {
			os.Exit(1)
		}
	}
}
`
	write(t, filepath.Join(source, "cmd/karchive/main.go"), text)
	write(t, filepath.Join(source, "go.mod"), "module github.com/karchive/karchive\n\ngo 1.26.0\n")
	for _, name := range []string{"LICENSE", "README.md", "SPEC.md", "deploy/karchive-capture@.service", "deploy/prometheus-alerts.yaml",
		"deploy/grafana-dashboard.json", "release/packaging/nfpm.yaml", "release/packaging/postinstall.sh", "release/packaging/sysusers.conf"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(source, name), string(content))
	}
	return source
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const epoch = "1795000000"

// made runs the command and returns the directory that it filled.
func made(t *testing.T, source, what string, more ...string) string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	dir := filepath.Join(t.TempDir(), "out")
	args := append([]string{"-source", source, "-version", "v1.2.3-rc.1", "-pgo", "off", "-" + what, dir}, more...)
	if err := command(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	return dir
}

// digests are those of all files below a directory, by name.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files: %v", len(all), err)
	}
	return all
}

func TestTwoBuildsInTwoDirectoriesAreTheSameBytes(t *testing.T) {
	const few = "linux/amd64,windows/amd64"
	first := digests(t, made(t, aProgram(t), "files", "-platforms", few))
	t.Setenv("GOFLAGS", "-ldflags=-X=main.version=other") // of whoever builds: the recipe does not listen
	t.Setenv("TZ", "Asia/Kathmandu")
	second := digests(t, made(t, aProgram(t), "files", "-platforms", few))
	if len(first) != 11 { // two bundles and two bills of two programs, two packages, the sums
		t.Errorf("files %v", first)
	}
	for name, digest := range first {
		if second[name] != digest {
			t.Errorf("%s differs between two builds", name)
		}
	}
	if len(second) != len(first) {
		t.Errorf("%d files, then %d", len(first), len(second))
	}
}

func TestAReleaseHoldsWhatItSaysAndItsSumsAreRight(t *testing.T) {
	dir := made(t, aProgram(t), "files", "-platforms", "linux/arm64,windows/arm64")
	bundle := "karchive_1.2.3-rc.1_linux_arm64"
	want := []string{"LICENSE", "README.md", "SPEC.md", "completion/bash", "completion/fish", "completion/powershell", "completion/zsh", "karchive", "man/karchive.1"}
	files := inTarGz(t, filepath.Join(dir, bundle+".tar.gz"))
	var names []string
	for name := range files {
		names = append(names, strings.TrimPrefix(name, bundle+"/"))
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("the bundle holds %v, want %v", names, want)
	}
	checkStatic(t, files[bundle+"/karchive"], elf.EM_AARCH64)
	checkTags(t, files[bundle+"/karchive"], "")
	full := "karchive-full_1.2.3-rc.1_linux_arm64"
	checkTags(t, inTarGz(t, filepath.Join(dir, full+".tar.gz"))[full+"/karchive"], "gcs,iceberg")
	z, err := zip.OpenReader(filepath.Join(dir, "karchive_1.2.3-rc.1_windows_arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if got := z.File[0].Name; got != "karchive_1.2.3-rc.1_windows_arm64/karchive.exe" {
		t.Errorf("the first file for Windows is %s", got)
	}
	sums, err := os.ReadFile(filepath.Join(dir, sumsName))
	if err != nil {
		t.Fatal(err)
	}
	listed := digests(t, dir)
	delete(listed, sumsName)
	for name, digest := range listed {
		if !strings.Contains(string(sums), digest+"  "+name+"\n") {
			t.Errorf("%s is not in %s with its digest:\n%s", name, sumsName, sums)
		}
	}
}

// checkStatic looks into a binary: for which machine it is, that nothing has to be loaded with it, and that it names no directory.
func checkStatic(t *testing.T, program []byte, machine elf.Machine) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != machine {
		t.Errorf("built for %v, want %v", f.Machine, machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has a segment %v", p.Type)
		}
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs") || strings.Contains(s.Value, "/checkout") {
			t.Errorf("the program says %s=%s, which differs between builds", s.Key, s.Value)
		}
	}
}

// checkTags looks what a program was built with.
func checkTags(t *testing.T, program []byte, want string) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			got = s.Value
		}
	}
	if got != want {
		t.Errorf("built with the tags %q, want %q", got, want)
	}
}

func inTarGz(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThePackageForDebianHasItsFilesWhereTheyBelong(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not here")
	}
	dir := made(t, aProgram(t), "files", "-platforms", "linux/amd64")
	file := filepath.Join(dir, "karchive_1.2.3~rc.1-1_amd64.deb")
	control, err := exec.Command("dpkg-deb", "--field", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s; there are %v", err, control, digests(t, dir))
	}
	for _, line := range []string{"Package: karchive", "Version: 1.2.3~rc.1", "Architecture: amd64", "Recommends: ca-certificates"} {
		if !strings.Contains(string(control), line) {
			t.Errorf("the package does not say %q:\n%s", line, control)
		}
	}
	contents, err := exec.Command("dpkg-deb", "--contents", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, contents)
	}
	for _, line := range []string{"-rwxr-xr-x root/root", " ./usr/bin/karchive\n", " ./usr/share/man/man1/karchive.1.gz\n", " ./usr/share/bash-completion/completions/karchive\n",
		" ./usr/lib/systemd/system/karchive-capture@.service\n", " ./usr/share/doc/karchive/copyright\n", "drwxr-x--- root/root"} {
		if !strings.Contains(string(contents), line) {
			t.Errorf("the package has no %q:\n%s", line, contents)
		}
	}
}

func TestManualPagesComeFromABinaryOfTheReleaseWhereOneRunsHere(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	here := platform{os: runtime.GOOS, arch: runtime.GOARCH}
	for platforms, want := range map[string]bool{here.String(): true, "windows/arm64": here.os == "windows" && here.arch == "arm64"} {
		r := release{source: aProgram(t), version: "v1.2.3"}
		if err := r.prepare(t.Context(), platforms, "off"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(r.work) })
		if err := r.document(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, got := r.built[here]; got != want {
			t.Errorf("for %s: the binary of the release was built for the pages: got %v, want %v", platforms, got, want)
		}
		if pages, err := os.ReadDir(filepath.Join(r.work, "man")); err != nil || len(pages) != 1 {
			t.Errorf("for %s: %d manual pages: %v", platforms, len(pages), err)
		}
	}
}

func TestTheTargetsOfMakePassOnVersionAndPlatforms(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not here")
	}
	for _, target := range []string{"release", "image"} {
		cmd := exec.Command("make", "--dry-run", target, "VERSION=v1.2.3", "PLATFORMS=linux/arm64")
		cmd.Dir = ".."
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "-version=v1.2.3 -platforms=linux/arm64") {
			t.Errorf("make %s: %v: does not pass on what it is told: %s", target, err, out)
		}
	}
}

func TestWhatIsWrongIsSaidBeforeAnythingIsBuilt(t *testing.T) {
	source, elsewhere := aProgram(t), t.TempDir()
	write(t, filepath.Join(elsewhere, "thesis.txt"), "the only copy")
	for _, c := range []struct {
		epoch, want string
		args        []string
	}{
		{epoch, "give -files DIR, -image DIR or both", nil},
		{epoch, `version "1.2.3": not of the form`, []string{"-version", "1.2.3", "-files", t.TempDir()}},
		{epoch, `platform "plan9/amd64": not one of`, []string{"-version", "v1.2.3", "-platforms", "plan9/amd64", "-files", t.TempDir()}},
		{epoch, "no platform of Linux is asked for", []string{"-version", "v1.2.3", "-platforms", "windows/amd64", "-pgo", "off", "-image", t.TempDir()}},
		{"soon", `SOURCE_DATE_EPOCH "soon": not seconds`, []string{"-version", "v1.2.3", "-files", t.TempDir()}},
		{"", "set SOURCE_DATE_EPOCH", []string{"-version", "v1.2.3", "-files", t.TempDir()}},
		{epoch, "profile: ", []string{"-version", "v1.2.3", "-pgo", "absent.pgo", "-files", t.TempDir()}},
		{epoch, "is neither a release nor an image", []string{"-version", "v1.2.3", "-pgo", "off", "-files", elsewhere}},
	} {
		t.Setenv("SOURCE_DATE_EPOCH", c.epoch)
		t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(source))
		err := command(t.Context(), append([]string{"-source", source}, c.args...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.args, err, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "thesis.txt")); err != nil {
		t.Errorf("a file of somebody else is gone: %v", err)
	}
}
