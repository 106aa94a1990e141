//go:build buckets && unix

package buckets

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/twmb/franz-go/pkg/kfake"
)

// store is a server for buckets that is no S3.
type store struct {
	variable string // of the environment, that names the server's program
	tags     string // that karchive is built with
	command  func(program, root, port string) *exec.Cmd
	env      func(addr string) []string
	create   func(t *testing.T, root, addr string)
	url      string // of an archive, without its name
	options  string
	tables   string                   // the same place as Iceberg names it
	known    func(addr string) string // what iceberg-go is to be told of the server, as a file of properties
}

// full are the tags of the program that has all.
const full = "gcs,iceberg"

// azuriteKey is the key of every Azurite, which its documentation has.
const azuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

var stores = map[string]store{
	"Azurite": {
		variable: "KARCHIVE_AZURITE",
		command: func(program, root, port string) *exec.Cmd {
			return exec.Command("node", program, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", root, "--blobHost", "127.0.0.1", "--blobPort", port)
		},
		env: func(addr string) []string {
			return []string{"AZURE_STORAGE_ACCOUNT=devstoreaccount1", "AZURE_STORAGE_KEY=" + azuriteKey, "AZURE_STORAGE_DOMAIN=" + addr,
				"AZURE_STORAGE_PROTOCOL=http", "AZURE_STORAGE_IS_LOCAL_EMULATOR=true"}
		},
		create: func(t *testing.T, _, addr string) {
			key, err := azblob.NewSharedKeyCredential("devstoreaccount1", azuriteKey)
			must(t, err)
			c, err := azblob.NewClientWithSharedKeyCredential("http://"+addr+"/devstoreaccount1/", key, nil)
			must(t, err)
			_, err = c.CreateContainer(t.Context(), "bkt", nil)
			must(t, err)
		},
		url: "azblob://bkt/", tables: "abfss://bkt@devstoreaccount1.dfs.core.windows.net/",
		known: func(addr string) string {
			return "adls.connection-string.devstoreaccount1: DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=" + azuriteKey +
				";BlobEndpoint=http://" + addr + "/devstoreaccount1;\n"
		},
	},
	"fake-gcs-server": {
		variable: "KARCHIVE_FAKE_GCS", tags: full,
		command: func(program, root, port string) *exec.Cmd {
			return exec.Command(program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-public-host", "127.0.0.1:"+port,
				"-backend", "filesystem", "-filesystem-root", root, "-log-level", "error")
		},
		env:    func(addr string) []string { return []string{"STORAGE_EMULATOR_HOST=" + addr} },
		create: func(t *testing.T, root, _ string) { must(t, os.MkdirAll(filepath.Join(root, "bkt"), 0o750)) },
		url:    "gs://bkt/", options: "?anonymous=true", tables: "gs://bkt/",
		known: func(addr string) string {
			return "gcs.no-auth: true\ngcs.usejsonapi: true\ngcs.service.host: http://" + addr + "/storage/v1/\n"
		},
	},
}

// TestArchivesGoThroughStoresOfOtherKinds captures, is killed, and goes on; two captures write one archive; and what is there is copied and replayed.
func TestArchivesGoThroughStoresOfOtherKinds(t *testing.T) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			server := os.Getenv(s.variable)
			if server == "" {
				t.Skipf("%s names no %s: make test-buckets says where to get it", s.variable, name)
			}
			karchive := build(t, s.tags)
			karchive.env, _ = s.start(t, server)
			throughStore(t, karchive, s.url+"run1"+s.options)
		})
	}
}

// start starts a server with a bucket, and returns what programs need in their environment to use it, and where it is.
func (s *store) start(t *testing.T, program string) (env []string, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	root := t.TempDir()
	addr = l.Addr().String()
	must(t, l.Close())
	_, port, err := net.SplitHostPort(addr)
	must(t, err)
	launch(t, s.command(program, root, port), addr)
	s.create(t, root, addr)
	return s.env(addr), addr
}

func throughStore(t *testing.T, karchive program, place string) {
	broker, dir := fill(t, 20000), filepath.Join(t.TempDir(), "dir")
	options := []string{"capture", "-b", broker, "-t", "orders", "--rotate-records", "200", "--quiet", "-o"}
	karchive.run(t, append(options, dir)...)
	for range 2 {
		first, second := karchive.command(append(options, place)...), karchive.command(append(options, place)...)
		must(t, first.Start())
		must(t, second.Start())
		time.Sleep(2 * time.Second) // in their middle
		for _, cmd := range []*exec.Cmd{first, second} {
			cmd.Process.Kill()
			if err := cmd.Wait(); err != nil {
				t.Logf("a capture: %v", err)
			}
		}
	}
	karchive.run(t, append(options, place)...)
	karchive.run(t, "verify", "--deep", place)
	if out := karchive.run(t, "diff", dir, place); !strings.Contains(out, "equal: 20,000 records") {
		t.Errorf("diff with what a capture into a directory has: %s", out)
	}
	t.Log(karchive.run(t, "info", place))
	karchive.run(t, "copy", place, "-o", filepath.Join(t.TempDir(), "copied"), "--quiet")
	target, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(t, err)
	defer target.Close()
	karchive.run(t, "replay", place, "-b", target.ListenAddrs()[0], "--create-topics", "--allow-source-cluster", "--quiet")
	again := filepath.Join(t.TempDir(), "again")
	karchive.run(t, "capture", "-b", target.ListenAddrs()[0], "-t", "orders", "--quiet", "-o", again)
	if out := karchive.run(t, "info", again); !strings.Contains(out, "20,000") {
		t.Errorf("replayed: %s", out)
	}
}
