package kafkatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is a running child. done is closed when it has ended, and err is valid then.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// startProcess starts cmd and waits for it on a goroutine that keeps its thread (see childAttr).
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = childAttr()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

// stop ends the process in order, and by force when it has not ended after grace.
func (p *process) stop(grace time.Duration) {
	if grace > 0 && p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		select {
		case <-p.done:
			return
		case <-time.After(grace):
		}
	}
	p.cmd.Process.Kill() // fails only when it has already ended
	<-p.done
}

// java is a command that runs a class of Kafka's jars, logging into stderr as the broker's log4j2.properties says.
func (b *Broker) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	argv := append(slices.Clone(b.jvm), fmt.Sprintf("-Xmx%dm", b.heapMB),
		"-Dlog4j2.configurationFile="+filepath.Join(b.dir, "log4j2.properties"),
		"-cp", filepath.Join(b.libs, "*"), class)
	return exec.CommandContext(ctx, "java", append(argv, args...)...)
}

// Tool runs one of Kafka's own programs, such as org.apache.kafka.tools.consumer.ConsoleConsumer, to its end and writes its standard
// output to stdout. The caller passes the broker's address as that program wants it. The error holds what it wrote to standard error.
func (b *Broker) Tool(ctx context.Context, stdout io.Writer, class string, args ...string) error {
	cmd := b.java(ctx, class, args...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	p, err := startProcess(cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", class, err)
	}
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", class, p.err, stderr.Bytes())
	}
	return nil
}

// lastLines returns the end of a file, for a message about why it ended.
func lastLines(name string, bytes int64) string {
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > bytes {
		f.Seek(-bytes, io.SeekEnd)
	}
	tail, _ := io.ReadAll(f)
	return string(tail)
}
