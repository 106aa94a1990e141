//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// runProfile writes the profile that release builds are optimised by: where captures, replays and checks of the datasets of the guard
// spend their time. Each works in a process of its own, as the command does, with the defaults of the command.
func (s *session) runProfile() error {
	var parts []string
	for _, t := range []topic{s.topic("J1K", 4, "none"), s.topic("J100", 4, "none")} {
		if err := s.fill(t); err != nil {
			return err
		}
		for _, work := range []string{"capture", "replay", "verify"} {
			part := filepath.Join(s.dir, t.name()+"-"+work+".pprof")
			target := s.target(t)
			if err := s.broker.create(s.ctx, target, t.partitions); err != nil {
				return err
			}
			if err := s.alternate(1, measure{"profile of " + work + " " + t.name(), func() (usage, error) {
				return runWorker(s.ctx, "profile", part, work, s.broker.address, t.name(), target, s.archive(t))
			}}); err != nil {
				return err
			}
			parts = append(parts, part)
		}
	}
	merged, err := exec.CommandContext(s.ctx, "go", append([]string{"tool", "pprof", "-proto", "-output", s.flags.profile}, parts...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("merge profiles: %w: %s", err, merged)
	}
	return nil
}

// profile works under a profiler. Arguments: the file of the profile, what to do, broker, topic, topic to replay into, archive.
func profile(ctx context.Context, args []string) (usage, error) {
	f, err := os.Create(args[0])
	if err != nil {
		return usage{}, err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return usage{}, err
	}
	watch := startWatch()
	err = profiled(ctx, args[1], []kgo.Opt{kgo.SeedBrokers(args[2])}, args[3], args[4], args[5])
	pprof.StopCPUProfile()
	if err != nil {
		return usage{}, err
	}
	return watch.stop(), f.Close()
}

func profiled(ctx context.Context, work string, broker []kgo.Opt, topic, target, dir string) error {
	if work == "capture" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		fsys, err := storage.DirFS(dir)
		if err != nil {
			return err
		}
		a, err := format.Create(fsys, format.Identity{})
		if err != nil {
			return err
		}
		defer a.Close()
		_, err = capture.Run(ctx, broker, a, capture.Options{Topics: []string{topic}})
		return err
	}
	a, err := format.OpenPath(dir)
	if err != nil {
		return err
	}
	defer a.Close()
	if work == "verify" {
		return verifyDeep(dir)
	}
	rule, err := routing.ParseMapping(topic + ":=" + target)
	if err != nil {
		return err
	}
	_, err = replay.Run(ctx, broker, a, replay.Options{Mapping: rule, AllowSourceCluster: true})
	return err
}

func verifyDeep(dir string) error {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	return format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
}
