//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// runPeers measures programs that do what karchive does: the same records, the same broker, files on the same disk, in turns.
func (s *session) runPeers() error {
	for _, t := range []topic{s.topic("J1K", 4, "none"), s.topic("J100", 4, "none")} {
		if err := s.fill(t); err != nil {
			return err
		}
		measures := append([]measure{s.capture(t), s.backup(t, 1), s.backup(t, 3)}, s.kcat(t)...)
		if err := s.alternate(s.flags.repeat, append(measures, s.replay(t), s.restore(t))...); err != nil {
			return err
		}
		if err := errors.Join(s.forget(t), os.RemoveAll(s.backups(t))); err != nil {
			return err
		}
	}
	return nil
}

// backups is where kafka-backup keeps those of a topic.
func (s *session) backups(t topic) string { return filepath.Join(s.dir, "kafka-backup-"+t.name()) }

// backup measures a backup of kafka-backup with its default options at a level of zstd, but for the headers that it would add to each record.
func (s *session) backup(t topic, level int) measure {
	return measure{fmt.Sprintf("kafka-backup, zstd -%d, %s", level, t.name()), func() (usage, error) {
		dir := s.backups(t)
		if err := os.RemoveAll(dir); err != nil {
			return usage{}, err
		}
		u, err := s.peer(fmt.Sprintf(`
mode: backup
backup_id: bench
source: {bootstrap_servers: [%q], topics: {include: [%q]}}
storage: {backend: filesystem, path: %q}
backup: {stop_at_current_offsets: true, include_offset_headers: false, compression_level: %d}
`, s.broker.address, t.name(), dir, level))
		if err != nil {
			return u, err
		}
		u.Records = int64(t.data.records)
		u.Out, err = sizeOf(dir)
		return u, err
	}}
}

// restore measures a restore of what backup left, into a topic of its own, with default options.
func (s *session) restore(t topic) measure {
	return measure{"kafka-backup restores " + t.name(), func() (usage, error) {
		name := s.target(t)
		if err := s.broker.create(s.ctx, name, t.partitions); err != nil {
			return usage{}, err
		}
		u, err := s.peer(fmt.Sprintf(`
mode: restore
backup_id: bench
target: {bootstrap_servers: [%q], topics: {include: [%q]}}
storage: {backend: filesystem, path: %q}
restore: {topic_mapping: {%q: %q}}
`, s.broker.address, t.name(), s.backups(t), t.name(), name))
		if err != nil {
			return u, err
		}
		u.Records = int64(t.data.records)
		if n, err := s.broker.records(s.ctx, name); err != nil || n != u.Records {
			return u, errors.Join(err, fmt.Errorf("it restored %d records of %d", n, u.Records))
		}
		return u, s.broker.drop(s.ctx, name)
	}}
}

// peer runs test/peers with a configuration.
func (s *session) peer(config string) (usage, error) {
	path := filepath.Join(s.dir, "kafka-backup.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return usage{}, err
	}
	u, _, err := runProcess(s.ctx, s.flags.peers, path)
	return u, err
}

// records is how many a topic has, none of which was deleted.
func (b *broker) records(ctx context.Context, topic string) (n int64, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n, err
}

func sizeOf(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// peerVersions says what was measured: kafka-backup in the version that test/peers names, kcat by what it says of itself.
func peerVersions(ctx context.Context) (all []string) {
	if manifest, err := os.ReadFile(filepath.Join("test", "peers", "Cargo.toml")); err == nil {
		if m := peerVersion.FindSubmatch(manifest); m != nil {
			all = append(all, "kafka-backup-core "+string(m[1]))
		}
	}
	if said, err := exec.CommandContext(ctx, "kcat", "-V").Output(); err == nil {
		if m := kcatVersion.FindSubmatch(said); m != nil {
			all = append(all, "kcat "+string(m[1]))
		}
	}
	return all
}

var (
	peerVersion = regexp.MustCompile(`kafka-backup-core = \{ version = "=([0-9.]+)"`)
	kcatVersion = regexp.MustCompile(`(?m)^Version ([0-9.]+)`)
)
