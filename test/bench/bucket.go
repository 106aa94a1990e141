//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// gateway is a versitygw of its own for one measurement, so that what it takes is what that took.
type gateway struct {
	root string // has a directory for each bucket, and in it a file for each object
	addr string
	cmd  *exec.Cmd
}

// gatewayPath is empty where there is none.
func gatewayPath() string {
	path := os.Getenv("KARCHIVE_VERSITYGW")
	if path == "" {
		path = "build/bin/versitygw" // where make test-buckets puts it
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return ""
	}
	return found
}

const bucketName = "bkt"

// startGateway starts the server with an empty bucket and returns when clients can connect.
func (s *session) startGateway() (*gateway, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{root: filepath.Join(s.dir, "gateway"), addr: l.Addr().String()}
	if err := errors.Join(l.Close(), os.RemoveAll(g.root), os.MkdirAll(filepath.Join(g.root, bucketName), 0o750)); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1",
		"AWS_EC2_METADATA_DISABLED": "true"} {
		if err := os.Setenv(name, value); err != nil { // of all that is started from here
			return nil, err
		}
	}
	g.cmd = exec.CommandContext(s.ctx, gatewayPath(), "--port", g.addr, "--access", "bench", "--secret", "bench-secret", "--quiet", "posix", g.root)
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	return g, g.answers()
}

// answers waits until the server takes connections.
func (g *gateway) answers() error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", g.addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			g.stop()
			return fmt.Errorf("versitygw: %w", err)
		}
	}
}

// stop ends the server and says how many seconds of CPU time it took.
func (g *gateway) stop() float64 {
	g.cmd.Process.Kill()
	g.cmd.Wait()
	return (g.cmd.ProcessState.UserTime() + g.cmd.ProcessState.SystemTime()).Seconds()
}

// url is that of the archive, which is also in the directory dir.
func (g *gateway) url() string {
	return fmt.Sprintf("s3://%s/run?endpoint=http://%s&use_path_style=true", bucketName, g.addr)
}

func (g *gateway) dir() string { return filepath.Join(g.root, bucketName, "run") }

// captureIntoBucket measures a capture into a new archive in a bucket: nothing where there is no server for it.
func (s *session) captureIntoBucket(t topic) []measure {
	if gatewayPath() == "" {
		fmt.Fprintln(os.Stderr, "bench: no build/bin/versitygw, so captures into a bucket are left out: make build/bin/versitygw")
		return nil
	}
	name := "capture into a bucket " + t.name()
	return []measure{{name, func() (usage, error) {
		g, err := s.startGateway()
		if err != nil {
			return usage{}, err
		}
		defer os.RemoveAll(g.root)
		u, err := s.run("capture", "-b", s.broker.address, "-t", t.name(), "-o", g.url(), "--spool", s.dir, "--quiet")
		took := g.stop()
		s.table.add("versitygw of "+name, usage{Wall: u.Wall, CPU: took})
		u.Store = took / float64(s.procs)
		if err != nil {
			return u, err
		}
		u.Records = int64(t.data.records)
		u.Bytes, u.Out, err = sizes(g.dir())
		return u, err
	}}}
}

// runBuckets measures captures into a bucket next to the same into a directory.
func (s *session) runBuckets() error {
	for _, t := range []topic{s.topic("J1K", 1, "none"), s.topic("J1K", 4, "none"), s.topic("J1K", 1000, "none")} {
		if err := s.fill(t); err != nil {
			return err
		}
		if err := s.alternate(s.flags.repeat, append(s.captureIntoBucket(t), s.capture(t))...); err != nil {
			return err
		}
		if err := s.forget(t); err != nil {
			return err
		}
	}
	return nil
}
