package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

// pods is what a manifest of Kubernetes says of the command lines in it, wherever they are.
type pods struct {
	Containers, InitContainers []struct {
		Name string
		Args []string
	}
}

// podsIn finds every pod in a document.
func podsIn(t *testing.T, n *yaml.Node) (found []pods) {
	t.Helper()
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Value == "containers" {
			var p pods
			if err := n.Decode(&p); err != nil {
				t.Fatal(err)
			}
			if i := mappingIndex(n, "initContainers"); i >= 0 {
				if err := n.Content[i].Decode(&p.InitContainers); err != nil {
					t.Fatal(err)
				}
			}
			found = append(found, p)
		}
		found = append(found, podsIn(t, child)...)
	}
	return found
}

func mappingIndex(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// inTheCluster is what the variables of the manifests can be there.
var inTheCluster = map[string]string{
	"TOPICS": "orders,payments-*", "ARCHIVE": "s3://backup/orders", "COMPACT": "s3://backup/compact", "COMPACT_OPTIONS": "?region=eu-central-1", "GROUP": "karchive-orders", "POD_NAME": "karchive-follow-2",
}

var variable = regexp.MustCompile(`\$\((\w+)\)`)

// expanded has Kubernetes' variables replaced.
func expanded(t *testing.T, args []string) (all []string) {
	t.Helper()
	for _, a := range args {
		all = append(all, variable.ReplaceAllStringFunc(a, func(v string) string {
			value, ok := inTheCluster[v[2:len(v)-1]]
			if !ok {
				t.Errorf("%s in %q: nothing sets it", v, args)
			}
			return value
		}))
	}
	return all
}

// understood reads a command line as the program does, without doing what it says.
func understood(args []string) (*cli.Command, error) {
	e := newEnv(strings.NewReader(""), io.Discard, io.Discard)
	commands := e.commands()
	for _, c := range commands {
		c.Action = func(*cli.Context) error { return nil }
	}
	line, err := arrange(commands, args)
	if err != nil {
		return nil, err
	}
	if line.command == nil {
		return nil, errors.New("no command")
	}
	app := &cli.App{Name: "karchive", Commands: commands, HideHelp: true, HideVersion: true, DisableSliceFlagSeparator: true,
		Writer: io.Discard, ErrWriter: io.Discard, ExitErrHandler: func(*cli.Context, error) {}}
	return line.command, app.Run(append([]string{"karchive"}, line.args...))
}

// TestManifestsOfKubernetesHaveCommandLinesThatAreUnderstood parses every command line below deploy/kubernetes with the program's own flags.
func TestManifestsOfKubernetesHaveCommandLinesThatAreUnderstood(t *testing.T) {
	t.Setenv("JOB_COMPLETION_INDEX", "3")
	found := 0
	err := filepath.WalkDir("../../deploy/kubernetes/base", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
			return err
		}
		for _, p := range podsIn(t, yamlOf(t, name)) {
			for _, c := range append(p.InitContainers, p.Containers...) {
				found++
				if _, err := understood(expanded(t, c.Args)); err != nil {
					t.Errorf("%s, container %s: karchive %s: %v", name, c.Name, strings.Join(c.Args, " "), err)
				}
			}
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d command lines found: %v", found, err)
	}
}

func yamlOf(t *testing.T, name string) *yaml.Node {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var n yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&n); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return &n
}

// TestTheManifestsKeepTheirPromises compares numbers that belong together and stand in different places.
func TestTheManifestsKeepTheirPromises(t *testing.T) {
	job := readFile(t, "../../deploy/kubernetes/base/replay/job.yaml")
	completions := regexp.MustCompile(`completions: (\d+)`).FindStringSubmatch(job)
	if completions == nil || !strings.Contains(job, "parallelism: "+completions[1]+"\n") || !strings.Contains(job, "auto/"+completions[1]+",") {
		t.Errorf("the replay has %v, and other numbers in parallelism or --shard", completions)
	}
	for _, name := range []string{"snapshot/job.yaml", "follow/statefulset.yaml", "nightly/cronjob.yaml", "replay/job.yaml"} {
		text := readFile(t, "../../deploy/kubernetes/base/"+name)
		containers := strings.Count(text, "image: karchive\n")
		for _, line := range []string{"readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "drop: [ALL]", "limits: {memory:"} {
			if n := strings.Count(text, line); n != containers || n == 0 {
				t.Errorf("%s: %d of %d containers say %q", name, n, containers, line)
			}
		}
		for _, line := range []string{"runAsNonRoot: true", "runAsUser: 65532", "automountServiceAccountToken: false", "serviceAccountName: karchive",
			"labels: {app.kubernetes.io/name: karchive,"} { // by which the NetworkPolicy finds it
			if !strings.Contains(text, line) {
				t.Errorf("%s does not say %q", name, line)
			}
		}
	}
}
