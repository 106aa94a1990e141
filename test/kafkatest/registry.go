package kafkatest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// RegistryVersion is the version of Apicurio Registry: the newest that runs on Java 17.
const RegistryVersion = "3.0.9"

// unpack is the goal of a version that wants no parent of what it unpacks, which Maven Central does not have.
const unpack = "org.apache.maven.plugins:maven-dependency-plugin:2.8:unpack"

// Registry is a running Apicurio Registry with nothing in it, which keeps all in memory.
type Registry struct {
	dir, url string
	proc     *process
}

// StartRegistry runs a registry for test t and kills it when t ends. It returns at once; Wait waits until it answers.
func StartRegistry(t testing.TB) *Registry {
	t.Helper()
	app, err := registryFiles(t.Context(), "registry", unpack, "-Dartifact=io.apicurio:apicurio-registry-app:"+RegistryVersion+":tar.gz:all")
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePorts()
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{dir: t.TempDir(), url: fmt.Sprintf("http://127.0.0.1:%d/apis", port.broker)}
	log, err := os.Create(r.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx400m", "-XX:TieredStopAtLevel=1", "-Dquarkus.http.host=127.0.0.1", fmt.Sprintf("-Dquarkus.http.port=%d", port.broker),
		"-jar", filepath.Join(app, "apicurio-registry-app-"+RegistryVersion+"-runner.jar"))
	cmd.Stdout, cmd.Stderr = log, log
	if r.proc, err = startProcess(cmd); err != nil {
		t.Fatalf("start the registry: %v", err)
	}
	t.Cleanup(func() { r.proc.stop(0) })
	return r
}

// Serializers returns the directory with the jars of Apicurio's own serializers for Java.
func Serializers(ctx context.Context) (string, error) {
	return registryFiles(ctx, "serializers", "dependency:copy-dependencies")
}

//go:embed registry-pom.xml
var registryPom []byte

func registryFiles(ctx context.Context, what string, goal ...string) (string, error) {
	dir, err := cached("apicurio-"+what+"-"+RegistryVersion, registryPom)
	if err != nil {
		return "", err
	}
	return dir, fetch(ctx, dir, registryPom, goal...)
}

// URL is where the registry speaks as Confluent's does.
func (r *Registry) URL() string { return r.url + "/ccompat/v7" }

// OwnURL is where it speaks its own language, as its own serializers do.
func (r *Registry) OwnURL() string { return r.url + "/registry/v3" }

// LogFile is where everything goes that the registry says.
func (r *Registry) LogFile() string { return filepath.Join(r.dir, "registry.log") }

// Wait waits until the registry answers.
func (r *Registry) Wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if r.answers(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-r.proc.done:
			return fmt.Errorf("the registry ended: %w\n%s", r.proc.err, lastLines(r.LogFile(), 4<<10))
		case <-ctx.Done():
			return fmt.Errorf("the registry does not answer: %w\n%s", ctx.Err(), lastLines(r.LogFile(), 4<<10))
		}
	}
}

func (r *Registry) answers(ctx context.Context) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL()+"/subjects", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	return errors.Join(answer.Body.Close(), ctx.Err()) == nil && answer.StatusCode == http.StatusOK
}
