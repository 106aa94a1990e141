package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// serve reads an archive as a client of a broker does.
func (s *show) serve(ctx context.Context, archive, copied string) {
	s.step("Let the archive be a broker, with no Kafka at all. What a client reads of it is the same, to the offset.")
	if s.err != nil {
		return
	}
	ready := filepath.Join(filepath.Dir(archive), "address")
	defer os.Remove(ready)
	defer os.RemoveAll(copied)
	args := []string{"serve", archive, "--quiet", "--listen", "127.0.0.1:0", "--ready-file", ready}
	s.say("$ karchive %s &", strings.Join(quoted(args), " "))
	serving, stop := context.WithCancel(ctx)
	ended := make(chan int, 1)
	go func() { ended <- s.run(serving, args, s.e.text) }()
	address, err := awaitFile(ctx, ready, ended)
	if s.err = err; err == nil {
		s.command(ctx, "capture", "-b", address, "-t", "orders,users,payments", "-o", copied)
		s.command(ctx, "diff", archive, copied)
		stop()
		<-ended
	}
	stop()
}

// awaitFile is what a file has as soon as it is there.
func awaitFile(ctx context.Context, name string, ended <-chan int) (string, error) {
	for {
		if b, err := os.ReadFile(name); err == nil {
			return strings.TrimSpace(string(b)), nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case code := <-ended:
			return "", fmt.Errorf("karchive serve ended with exit code %d", code)
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// executable is the program that compare runs. In tests it is not the running one.
var executable = os.Executable

// compare runs this program in two versions on the same records.
func (s *show) compare(ctx context.Context, archive string) {
	s.step("Run two versions of a program on the same records, and compare what they write. Here it is karchive; the second one masks a header.")
	program, err := executable()
	if err != nil && s.err == nil {
		s.err = err
	}
	version := strings.Join(quoted([]string{program, "replay", archive, "-t", "orders", "--map", "orders:=mail", "--allow-source-cluster", "-b", "{broker}"}), " ")
	version = strings.ReplaceAll(version, "'{broker}'", "{broker}")
	s.expect(ctx, exitFailed, "compare", archive, "-t", "orders", "--run", "v1="+version, "--run", "v2="+version+" --mask headers.source=redact",
		"--output", "mail", "--output-partitions", "6", "--examples", "1")
}
