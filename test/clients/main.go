// Command clients reads topics with Kafka libraries that karchive itself does not use, for tests. Each line that it prints is a record: partition,
// offset, timestamp in milliseconds (- for none and for the epoch, which not every library tells apart), key, value, and headers.
//
//	clients LIBRARY read BROKER TOPIC COUNT...       COUNT records of each partition, in order, from the start, as committed
//	clients LIBRARY dirty BROKER TOPIC COUNT...      the same, as read_uncommitted
//	clients LIBRARY group BROKER TOPIC GROUP COUNT   COUNT records as a member of a group, which commits them and leaves
//	clients LIBRARY since BROKER TOPIC PARTITION MS  the offset of the first record of a time or behind it
//
// LIBRARY is sarama or kafka-go.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// message is a record as a library gives it.
type message struct {
	partition  int
	offset     int64
	time       time.Time
	key, value []byte
	headers    []header
}

type header struct {
	key   string
	value []byte
}

// library reads with one of the libraries.
type library interface {
	// read gives the first records of a partition to each, until it wants no more.
	read(ctx context.Context, topic string, partition int, committed bool, each printer) error
	// group gives records to each, as a member of a group, until it wants no more, and commits those that each took.
	group(ctx context.Context, topic, group string, each printer) error
	since(ctx context.Context, topic string, partition int, at time.Time) (offset int64, err error)
}

// patience is how long a run may take.
const patience = 2 * time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: clients LIBRARY read|dirty|group|since BROKER TOPIC ARGUMENTS")

func run(ctx context.Context, args []string) error {
	if len(args) < 5 {
		return errUsage
	}
	l, ok := map[string]library{"sarama": saramaLibrary{args[2]}, "kafka-go": kafkaGoLibrary{args[2]}}[args[0]]
	if !ok {
		return errUsage
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	topic, rest := args[3], args[4:]
	switch {
	case args[1] == "read" || args[1] == "dirty":
		return readPartitions(ctx, l, topic, args[1] == "read", rest, out)
	case args[1] == "group" && len(rest) == 2:
		n, err := strconv.Atoi(rest[1])
		if err != nil {
			return err
		}
		return l.group(ctx, topic, rest[0], printing(n, out))
	case args[1] == "since" && len(rest) == 2:
		return printSince(ctx, l, topic, rest, out)
	}
	return errUsage
}

func readPartitions(ctx context.Context, l library, topic string, committed bool, counts []string, out *bufio.Writer) error {
	for partition, text := range counts {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := l.read(ctx, topic, partition, committed, printing(n, out)); err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
	}
	return nil
}

func printSince(ctx context.Context, l library, topic string, args []string, out *bufio.Writer) error {
	partition, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	ms, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	offset, err := l.since(ctx, topic, partition, time.UnixMilli(ms))
	fmt.Fprintln(out, offset)
	return err
}

// printer takes a message, or has enough, and says whether it wants more.
type printer func(message) (taken, more bool)

// printing prints n messages. It may be called by several goroutines.
func printing(n int, out *bufio.Writer) printer {
	var mu sync.Mutex
	return func(m message) (taken, more bool) {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 {
			return false, false
		}
		fmt.Fprintln(out, m)
		n--
		return true, n > 0
	}
}

// String is the line of a message.
func (m message) String() string {
	var b strings.Builder
	ms := "-"
	if m.time.UnixMilli() > 0 {
		ms = strconv.FormatInt(m.time.UnixMilli(), 10)
	}
	fmt.Fprintf(&b, "%d %d %s %s %s", m.partition, m.offset, ms, spelled(m.key), spelled(m.value))
	for _, h := range m.headers {
		fmt.Fprintf(&b, " %q=%s", h.key, spelled(h.value))
	}
	return b.String()
}

// spelled tells null from empty.
func spelled(b []byte) string {
	const most = 64
	switch {
	case b == nil:
		return "null"
	case len(b) > most:
		return fmt.Sprintf("%d:%x", len(b), sha256.Sum256(b))
	}
	return fmt.Sprintf("%q", b)
}
