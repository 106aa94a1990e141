//go:build buckets && unix

package buckets

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.yaml.in/yaml/v3"
)

const kubernetes = "../../deploy/kubernetes/"

// workload is what a manifest says, as far as processes can do it.
type workload struct {
	Spec struct {
		Replicas, Completions int
		Template              podTemplate
		JobTemplate           struct {
			Spec struct{ Template podTemplate }
		} `yaml:"jobTemplate"`
	}
}

type podTemplate struct {
	Spec struct {
		Grace          int         `yaml:"terminationGracePeriodSeconds"`
		InitContainers []container `yaml:"initContainers"`
		Containers     []container
	}
}

type container struct {
	Name string
	Args []string
}

// node is a machine in the place of a cluster: containers are processes on it, and what they mount are directories.
type node struct {
	t        *testing.T
	karchive program
	settings map[string]string // the config map of the overlay
	mounts   string
}

// onNode is a node with the settings of an overlay, whose buckets are in a gateway.
func onNode(t *testing.T, karchive program, g *gateway, broker, overlay string) *node {
	t.Helper()
	var k struct {
		ConfigMapGenerator []struct{ Literals []string } `yaml:"configMapGenerator"`
	}
	read(t, "overlays/"+overlay+"/kustomization.yaml", &k)
	n := &node{t: t, karchive: karchive, settings: map[string]string{}, mounts: t.TempDir()}
	for _, literal := range k.ConfigMapGenerator[0].Literals {
		name, value, _ := strings.Cut(literal, "=")
		n.settings[name] = value
	}
	options := "?endpoint=http://" + g.addr + "&use_path_style=true"
	n.settings["ARCHIVE"] += options
	if overlay == "nightly" {
		n.settings["COMPACT_OPTIONS"] += options
	}
	must(t, os.WriteFile(filepath.Join(n.mounts, "client.properties"), []byte("bootstrap.servers="+broker+"\n"), 0o600))
	return n
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(kubernetes + name)
	must(t, err)
	must(t, yaml.Unmarshal(text, into))
}

var variable = regexp.MustCompile(`\$\((\w+)\)`)

// pod is a container that runs, with the address of its probes.
type pod struct {
	*exec.Cmd
	name, probes string
	said         *strings.Builder
}

// begin starts a container of a pod, with what Kubernetes would set and mount.
func (n *node) begin(c container, name string, env ...string) *pod {
	n.t.Helper()
	p := &pod{name: name, said: &strings.Builder{}}
	spool := filepath.Join(n.mounts, "spool-"+name)
	must(n.t, os.MkdirAll(spool, 0o700))
	if strings.Contains(strings.Join(c.Args, " "), "0.0.0.0:9100") { // in a cluster each pod has an address of its own
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(n.t, err)
		p.probes = l.Addr().String()
		must(n.t, l.Close())
	}
	mounted := strings.NewReplacer("/etc/karchive/", n.mounts+"/", "/spool", spool, "0.0.0.0:9100", p.probes)
	var args []string
	for _, a := range c.Args {
		args = append(args, variable.ReplaceAllStringFunc(mounted.Replace(a), func(v string) string {
			if v == "$(POD_NAME)" {
				return name
			}
			value, ok := n.settings[v[2:len(v)-1]]
			if !ok {
				n.t.Errorf("container %s: the overlay does not set %s", c.Name, v)
			}
			return value
		}))
	}
	p.Cmd = n.karchive.command(args...)
	p.Env, p.Stdout, p.Stderr = append(p.Env, env...), io.Discard, p.said
	must(n.t, p.Start())
	n.t.Cleanup(func() { p.Process.Kill() })
	return p
}

// ends waits until a pod has ended well.
func (n *node) ends(p *pod) {
	n.t.Helper()
	if err := p.Wait(); err != nil {
		n.t.Fatalf("pod %s: %v\n%s", p.name, err, p.said)
	}
}

// stop ends pods by SIGTERM, as Kubernetes does, within their grace period.
func (n *node) stop(grace int, pods ...*pod) {
	n.t.Helper()
	for _, p := range pods {
		must(n.t, p.Process.Signal(syscall.SIGTERM))
		late := time.AfterFunc(time.Duration(grace)*time.Second, func() { p.Process.Kill() })
		defer late.Stop()
	}
	for _, p := range pods {
		n.ends(p)
	}
}

// ready waits for the probe of a pod.
func (n *node) ready(p *pod) {
	n.t.Helper()
	var last any
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + p.probes + "/readyz")
		if last = err; err != nil {
			continue
		}
		answer.Body.Close()
		if last = answer.Status; answer.StatusCode == http.StatusOK {
			return
		}
	}
	n.t.Fatalf("pod %s does not become ready: %v\n%s", p.name, last, p.said)
}

// TestTheCommandLinesOfTheManifestsDoTheirWork runs what deploy/kubernetes has, with the settings of its overlays, as processes: a snapshot twice,
// two nights, members that are rolled, and a replay in shards.
func TestTheCommandLinesOfTheManifestsDoTheirWork(t *testing.T) {
	karchive, g, broker := build(t, ""), startGateway(t), fill(t, 2000)
	must(t, os.Mkdir(filepath.Join(g.root, "backup"), 0o750))
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	must(t, err)
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "payments-eu")
	must(t, err)

	t.Run("snapshot", func(t *testing.T) {
		n := onNode(t, karchive, g, broker, "snapshot")
		var w workload
		read(t, "base/snapshot/job.yaml", &w)
		for range 2 {
			n.ends(n.begin(w.Spec.Template.Spec.Containers[0], "snapshot"))
		}
		n.hasWhat(broker, n.settings["ARCHIVE"])
	})
	t.Run("replay", func(t *testing.T) { replayInShards(t, karchive, g) })
	t.Run("follow", func(t *testing.T) { rollMembers(t, karchive, g, broker) })
	t.Run("nightly", func(t *testing.T) { twoNights(t, karchive, g, broker) })
}

// hasWhat compares an archive with one of what the cluster has now.
func (n *node) hasWhat(broker, archive string) {
	n.t.Helper()
	dir := filepath.Join(n.t.TempDir(), "dir")
	n.karchive.run(n.t, "capture", "-b", broker, "-t", "orders,payments-*", "--quiet", "-o", dir)
	n.karchive.run(n.t, "verify", "--deep", archive)
	if out := n.karchive.run(n.t, "diff", dir, archive, "--by", "order"); !strings.Contains(out, "equal: ") {
		n.t.Error(out)
	}
}

func replayInShards(t *testing.T, karchive program, g *gateway) {
	target, err := kfake.NewCluster(kfake.ClusterID("staging"), kfake.NumBrokers(1), kfake.SeedTopics(4, "orders"), kfake.SeedTopics(1, "payments-eu"))
	must(t, err)
	defer target.Close()
	broker := target.ListenAddrs()[0]
	n := onNode(t, karchive, g, broker, "replay")
	var w workload
	read(t, "base/replay/job.yaml", &w)
	for range 2 { // a pod that is started again sends nothing twice
		var pods []*pod
		for i := range w.Spec.Completions {
			pods = append(pods, n.begin(w.Spec.Template.Spec.Containers[0], fmt.Sprint("replay-", i), fmt.Sprint("JOB_COMPLETION_INDEX=", i)))
		}
		for _, p := range pods {
			n.ends(p)
		}
	}
	n.hasWhat(broker, n.settings["ARCHIVE"])
}

// rollMembers ends each member and starts it again, while records come.
func rollMembers(t *testing.T, karchive program, g *gateway, broker string) {
	n := onNode(t, karchive, g, broker, "follow")
	var w workload
	read(t, "base/follow/statefulset.yaml", &w)
	capture, grace := w.Spec.Template.Spec.Containers[0], w.Spec.Template.Spec.Grace
	begin := func(i int) *pod { return n.begin(capture, fmt.Sprint("karchive-follow-", i)) }
	var pods []*pod
	for i := range w.Spec.Replicas {
		pods = append(pods, begin(i))
	}
	for i, p := range pods {
		n.ready(p)
		more(t, broker, i, 200)
	}
	for i, p := range pods {
		n.stop(grace, p)
		more(t, broker, 10+i, 200)
		pods[i] = begin(i)
		n.ready(pods[i])
	}
	n.stop(grace, pods...)
	// What came last they may have left to the next run.
	karchive.run(t, "capture", "-b", broker, "-t", n.settings["TOPICS"], "--quiet", "-o", n.settings["ARCHIVE"])
	n.hasWhat(broker, n.settings["ARCHIVE"])
}

// twoNights goes on with the archive of the members, as the overlays have it, and makes a compact copy each time.
func twoNights(t *testing.T, karchive program, g *gateway, broker string) {
	n := onNode(t, karchive, g, broker, "nightly")
	var w workload
	read(t, "base/nightly/cronjob.yaml", &w)
	job := w.Spec.JobTemplate.Spec.Template.Spec
	for night := range 2 {
		more(t, broker, 20+night, 200)
		name := fmt.Sprint("karchive-nightly-", night)
		n.ends(n.begin(job.InitContainers[0], name))
		n.ends(n.begin(job.Containers[0], name))
		n.hasWhat(broker, n.settings["ARCHIVE"])
		n.hasWhat(broker, n.settings["COMPACT"]+"/"+name+n.settings["COMPACT_OPTIONS"])
	}
}
