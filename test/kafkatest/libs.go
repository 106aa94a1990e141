package kafkatest

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// LibsEnv names the environment variable that overrides where Kafka's jars are kept.
const LibsEnv = "KARCHIVE_KAFKA_LIBS"

// VersionEnv names the environment variable with the version of Kafka to run, such as 3.9.1; DefaultVersion when it is not set.
const VersionEnv = "KARCHIVE_KAFKA_VERSION"

// DefaultVersion is the version of Kafka that tests and benchmarks run on.
const DefaultVersion = "4.1.1"

//go:embed pom.xml
var pom []byte

// Libs returns the directory that holds Kafka's jars and fetches them with mvn when it is not there yet. The directory is
// $KARCHIVE_KAFKA_LIBS, or one in the user's cache directory named after the version of Kafka and the pinned ones of the rest. Processes
// that fetch at the same time don't disturb each other: the directory appears complete or not at all.
func Libs(ctx context.Context) (string, error) {
	dir, err := libsDir()
	if err != nil {
		return "", err
	}
	return dir, fetch(ctx, dir, pom, "dependency:copy-dependencies", "-Dkafka.version="+Version())
}

func libsDir() (string, error) {
	if dir := os.Getenv(LibsEnv); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := cached("kafka-"+Version(), pom)
	if err != nil {
		return "", fmt.Errorf("set %s: %w", LibsEnv, err)
	}
	return dir, nil
}

// cached is where what a pom describes is kept.
func cached(name string, pom []byte) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "karchive", fmt.Sprintf("%s-%.6x", name, sha256.Sum256(pom))), err
}

// Version is the version of Kafka that runs.
func Version() string { return cmp.Or(os.Getenv(VersionEnv), DefaultVersion) }

// fetch has mvn fill a directory, unless it is there.
func fetch(ctx context.Context, dir string, pom []byte, goal ...string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := fetchInto(ctx, dir, pom, goal); err != nil {
		return fmt.Errorf("fetch %s: %w", dir, err)
	}
	return nil
}

func fetchInto(ctx context.Context, dir string, pom []byte, goal []string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	files := filepath.Join(work, "files")
	cmd := exec.CommandContext(ctx, "mvn", append([]string{"-q", "-B", "-f", filepath.Join(work, "pom.xml"), "-DoutputDirectory=" + files}, goal...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, out)
	}
	err = os.Rename(files, dir)
	if errors.Is(err, fs.ErrExist) { // another process was first
		return nil
	}
	return err
}
