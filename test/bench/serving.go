//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/test/peak"
)

// server is a karchive that serves an archive.
type server struct {
	address string
	cmd     *exec.Cmd
	ended   chan error
	peak    chan int64
}

// serve starts a server of an archive and returns when clients can connect.
func (s *session) serve(archive string) (*server, error) {
	ready := filepath.Join(s.dir, "ready")
	v := &server{cmd: exec.CommandContext(s.ctx, s.karchive, "serve", archive, "--listen", "127.0.0.1:0", "--ready-file", ready, "--quiet"),
		ended: make(chan error, 1), peak: make(chan int64, 1)}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	waited := make(chan error, 1)
	go func() { waited <- v.cmd.Wait() }()
	go func() {
		most, err := peak.Watch(v.cmd.Process.Pid, waited)
		v.peak <- most
		v.ended <- err
	}()
	for {
		b, err := os.ReadFile(ready)
		if err == nil {
			v.address = strings.TrimSpace(string(b))
			return v, nil
		}
		select {
		case err := <-v.ended:
			return nil, fmt.Errorf("serve %s: it ended: %v", archive, err)
		case <-time.After(time.Millisecond):
		}
	}
}

// stop ends the server and says what it took.
func (v *server) stop() (u usage, err error) {
	if err := v.cmd.Process.Signal(os.Interrupt); err != nil {
		return u, err
	}
	u.RSS = <-v.peak
	if err := <-v.ended; err != nil && v.cmd.ProcessState.ExitCode() != interrupted {
		return u, fmt.Errorf("serve: %w", err)
	}
	u.CPU = (v.cmd.ProcessState.UserTime() + v.cmd.ProcessState.SystemTime()).Seconds()
	u.Karchive = true
	return u, nil
}

// interrupted is the exit code of a command that a signal ended.
const interrupted = 130

// served measures so many consumers that share the partitions of an archive that is served: the time of the last one, and what the server took.
func (s *session) served(t topic, consumers int) measure {
	name := "consume served " + t.name()
	if consumers > 1 {
		name = fmt.Sprintf("consume served by %d %s", consumers, t.name())
	}
	return measure{name, func() (usage, error) {
		v, err := s.serve(s.archive(t))
		if err != nil {
			return usage{}, err
		}
		all, err := s.consumeShared(v.address, t.name(), consumers)
		took, stopped := v.stop()
		all.CPU, all.RSS, all.Karchive = took.CPU, took.RSS, true
		return all, errors.Join(err, stopped)
	}}
}

// consumeShared has several workers consume a topic, each its partitions.
func (s *session) consumeShared(address, topic string, consumers int) (all usage, err error) {
	each := make([]usage, consumers)
	g, ctx := errgroup.WithContext(s.ctx)
	for i := range each {
		g.Go(func() (err error) {
			each[i], err = runWorker(ctx, "consume", address, topic, strconv.Itoa(i), strconv.Itoa(consumers))
			return err
		})
	}
	err = g.Wait()
	for _, u := range each {
		all.Wall, all.Records, all.Bytes = max(all.Wall, u.Wall), all.Records+u.Records, all.Bytes+u.Bytes
	}
	return all, err
}

// servedFirst measures the time from the start of a server to the first record of a client.
func (s *session) servedFirst(name, archive, topic string) measure {
	return measure{name, func() (usage, error) {
		begin := time.Now()
		v, err := s.serve(archive)
		if err != nil {
			return usage{}, err
		}
		ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
		defer cancel()
		err = firstRecord(ctx, v.address, topic)
		took := time.Since(begin)
		u, stopped := v.stop()
		u.Wall = took.Seconds()
		return u, errors.Join(err, stopped)
	}}
}
