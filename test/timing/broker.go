package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker is the embedded broker in a process of its own.
type broker struct {
	address string
	process *exec.Cmd
	stdin   io.Closer // it runs until this is closed
}

func startBroker(ctx context.Context) (*broker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &broker{process: exec.CommandContext(ctx, self, "broker")}
	b.process.Stderr = os.Stderr
	if b.stdin, err = b.process.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := b.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.process.Start(); err != nil {
		return nil, fmt.Errorf("start the broker: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.stop()
		return nil, fmt.Errorf("the broker does not say where it is: %w", err)
	}
	b.address = strings.TrimSpace(line)
	return b, nil
}

func (b *broker) stop() {
	b.stdin.Close()
	b.process.Wait() // how it ended says nothing about what was measured
}

func isBroker(args []string) bool { return len(args) == 2 && args[1] == "broker" }

// serve is the process of the broker. It says its address and ends with its stdin.
func serve(stdin io.Reader, stdout io.Writer) error {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("timing"))
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(stdout, c.ListenAddrs()[0])
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// partitions is how many every topic has.
const partitions = 4

func (b *broker) create(ctx context.Context, topic string) error {
	return b.admin(func(a *kadm.Client) error {
		_, err := a.CreateTopic(ctx, partitions, 1, nil, topic)
		return err
	})
}

// drop lets the broker forget the records of a topic.
func (b *broker) drop(ctx context.Context, topic string) error {
	return b.admin(func(a *kadm.Client) error {
		_, err := a.DeleteTopic(ctx, topic)
		return err
	})
}

func (b *broker) admin(do func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return err
	}
	defer client.Close()
	return do(kadm.NewClient(client))
}
