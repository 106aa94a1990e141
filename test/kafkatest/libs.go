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
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := fetchLibs(ctx, dir); err != nil {
		return "", fmt.Errorf("fetch kafka into %s: %w", dir, err)
	}
	return dir, nil
}

func libsDir() (string, error) {
	if dir := os.Getenv(LibsEnv); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("set %s: %w", LibsEnv, err)
	}
	return filepath.Join(cache, "karchive", fmt.Sprintf("kafka-%s-%.6x", Version(), sha256.Sum256(pom))), nil
}

// Version is the version of Kafka that runs.
func Version() string { return cmp.Or(os.Getenv(VersionEnv), DefaultVersion) }

func fetchLibs(ctx context.Context, dir string) error {
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
	libs := filepath.Join(work, "libs")
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", filepath.Join(work, "pom.xml"),
		"dependency:copy-dependencies", "-DoutputDirectory="+libs, "-Dkafka.version="+Version())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, out)
	}
	err = os.Rename(libs, dir)
	if errors.Is(err, fs.ErrExist) { // another process was first
		return nil
	}
	return err
}
