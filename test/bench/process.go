//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/karchive/karchive/test/peak"
)

// usage is what a process, or the measured part of a worker, took.
type usage struct {
	Wall    float64 `json:"wall_s"`
	CPU     float64 `json:"cpu_s"`
	RSS     int64   `json:"rss_bytes"` // peak; 0: not measured
	Records int64   `json:"records,omitempty"`
	Bytes   int64   `json:"bytes,omitempty"` // of records in
	Out     int64   `json:"out_bytes,omitempty"`

	Store float64 `json:"store_s,omitempty"` // CPU time of the object store that a command wrote to, divided by the cores; not in CPU

	Goroutines int  `json:"goroutines,omitempty"` // of a floor that has them at work
	Karchive   bool `json:"karchive,omitempty"`   // the process is karchive's own
}

// runProcess runs a program to its end and measures it as a whole.
func runProcess(ctx context.Context, name string, args ...string) (usage, []byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr head
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	most, err := peak.Watch(cmd.Process.Pid, ended)
	u := usage{Wall: time.Since(begin).Seconds(), RSS: most}
	if err != nil {
		return u, nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(string(stderr.kept)))
	}
	u.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return u, stdout.kept, nil
}

// head keeps what is written first: the records that cat writes are not to be waited for.
type head struct{ kept []byte }

const mostKept = 1 << 20

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), mostKept-len(h.kept))]...)
	return len(p), nil
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

// runWorker runs this program as a worker, which measures its own interesting part.
func runWorker(ctx context.Context, args ...string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	whole, out, err := runProcess(ctx, self, append([]string{"worker"}, args...)...)
	if err != nil {
		return usage{}, err
	}
	var u usage
	if err := json.Unmarshal(out, &u); err != nil {
		return usage{}, fmt.Errorf("worker %s: %w", args[0], err)
	}
	u.RSS = whole.RSS
	return u, nil
}
