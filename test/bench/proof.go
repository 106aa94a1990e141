//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// fault is a mistake that the guard must find. It is planted into the source while karchive is built once more.
type fault struct {
	name     string
	dir      string // of the package
	old, new string // text that stands once in the package, and what takes its place
	ratio    string // that must be over its limit
	measures func(*session, topic) []measure
}

var faults = []fault{
	{
		name: "a capture compresses everything twice", dir: "format",
		old:   "\t\treturn zstdfast.Append(dst, src)\n",
		new:   "\t\tzstdfast.Append(dst, src)\n\t\treturn zstdfast.Append(dst, src)\n",
		ratio: "capture CPU / floors, J1K",
		measures: func(s *session, t topic) []measure {
			return []measure{s.zstd(t, "1"), s.consume(t), s.capture(t)}
		},
	},
	{
		name: "every row group is decoded twice", dir: "format",
		old:   "\trecords, err := r.decode(i, b.reset())\n",
		new:   "\tif _, err := r.decode(i, b.reset()); err != nil {\n\t\treturn nil, err\n\t}\n\trecords, err := r.decode(i, b.reset())\n",
		ratio: "verify --deep CPU / floor, J1K",
		measures: func(s *session, t topic) []measure {
			return []measure{s.check(t), s.command("verify --deep", t, "verify", "--deep")}
		},
	},
	{
		name: "serve keeps one row group in memory, whatever it may", dir: "internal/serve",
		old:   "b != nil && c.size > c.most;",
		new:   "b != nil && c.size > 0;",
		ratio: "serve CPU / floors, J1K",
		measures: func(s *session, t topic) []measure {
			return []measure{s.produce(t), s.unzstd(t), s.served(t, 1)}
		},
	},
}

// plant returns the one file below root that has the place for f, and what stands in it with the mistake.
func (f fault) plant(root string) (path string, source []byte, err error) {
	files, err := filepath.Glob(filepath.Join(root, f.dir, "*.go"))
	if err != nil {
		return "", nil, err
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", nil, err
		}
		switch n := strings.Count(string(text), f.old); {
		case n == 0 || strings.HasSuffix(name, "_test.go"):
		case n > 1 || path != "":
			return "", nil, fmt.Errorf("the place of the fault %q is there more than once in %s: %q", f.name, f.dir, f.old)
		default:
			path, source = name, []byte(strings.Replace(string(text), f.old, f.new, 1))
		}
	}
	if path == "" {
		return "", nil, fmt.Errorf("the place of the fault %q is no longer in %s, give it a new one: %q", f.name, f.dir, f.old)
	}
	return path, source, nil
}

// build makes a karchive with the mistake.
func (f fault) build(ctx context.Context, dir string) (binary string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, source, err := f.plant(root)
	if err != nil {
		return "", err
	}
	planted, overlay := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {path: planted}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(planted, source, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replaced, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "karchive-planted")
	return binary, build(ctx, binary, "-overlay", overlay)
}

// runProof shows that the guard finds each fault, and that it finds none where other work has all cores.
func (s *session) runProof() (ok bool, err error) {
	ok = true
	say := func(what string, found []ratio, right bool) {
		verdict := "as it must be"
		if !right {
			verdict, ok = "WRONG", false
		}
		fmt.Printf("%s: over its limit: %v: %s\n", what, found, verdict)
	}
	idle := s.disturb()
	err = s.runCheck()
	idle()
	if err != nil {
		return false, err
	}
	say("other work on every core", s.table.over(), len(s.table.over()) == 0)
	for _, f := range faults {
		s.table = nil
		if s.karchive, err = f.build(s.ctx, s.dir); err != nil {
			return false, err
		}
		if err := s.alternate(s.flags.repeat, f.measures(s, s.topic("J1K", 4, "none"))...); err != nil {
			return false, err
		}
		say(f.name, s.table.over(), slices.ContainsFunc(s.table.over(), func(r ratio) bool { return r.Name == f.ratio }))
	}
	return ok, nil
}

// disturb keeps every core and its caches busy with a process of its own, until what it returns is called.
func (s *session) disturb() (stop func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan struct{}, s.procs)
	for range s.procs {
		go func() {
			runWorker(ctx, "disturb", "until killed")
			ended <- struct{}{}
		}()
	}
	return func() {
		cancel()
		for range s.procs {
			<-ended
		}
	}
}

// disturb writes to more memory than a core has cache, forever.
func disturb(context.Context, []string) (usage, error) {
	memory := make([]uint64, 8<<20)
	for i := uint64(1); ; i = i*6364136223846793005 + 1442695040888963407 {
		memory[i>>41] += i
	}
}

func build(ctx context.Context, binary string, flags ...string) error {
	args := append(append([]string{"build"}, flags...), "-o", binary, "./cmd/karchive")
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build karchive: %w\n%s", err, out)
	}
	return nil
}
