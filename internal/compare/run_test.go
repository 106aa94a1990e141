//go:build unix

package compare_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/compare"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/test/invoices"
)

// TestMain is the service of test/invoices, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "invoices" {
		os.Exit(invoices.Main(os.Args[2:], os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "hold" {
		hold(os.Args[2])
	}
	if len(os.Args) > 1 && os.Args[1] == "work" {
		work(os.Args[2])
	}
	os.Exit(m.Run())
}

// service is a command that runs a version.
func service(args ...string) string {
	return "exec " + os.Args[0] + " invoices " + strings.Join(args, " ")
}

// orders is an archive of n orders.
func orders(t *testing.T, n int64) *format.Archive {
	t.Helper()
	fsys, err := storage.DirFS(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Create(fsys, format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	p, err := a.NewSegment(format.WriterOptions{Topic: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	for id := range n {
		r := format.Record{Offset: id, TimestampMs: 1000 * id, Key: fmt.Append(nil, id), Value: fmt.Appendf(nil, `{"id":%d,"cents":%d}`, id, id*17%5000)}
		if err := p.Write(&r); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := p.Seal(n); err != nil {
		t.Fatal(err)
	}
	return a
}

func options(t *testing.T, a *format.Archive) compare.Options {
	return compare.Options{Serve: serve.Options{Sources: []serve.Source{{Archive: a}}, TempDir: t.TempDir()}, Outputs: []string{"invoices"}, Dir: t.TempDir(),
		Settle: 300 * time.Millisecond, Timeout: time.Minute}
}

// run runs services, by their names.
func run(t *testing.T, o compare.Options, commands ...string) []compare.Result {
	t.Helper()
	var programs []compare.Program
	for i, c := range commands {
		programs = append(programs, compare.Program{Name: fmt.Sprintf("v%d", i+1), Command: c})
	}
	results, err := compare.Run(t.Context(), programs, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { compare.Close(results) })
	return results
}

// differences compares what two services wrote.
func differences(t *testing.T, a, b compare.Result) []string {
	t.Helper()
	for _, r := range []compare.Result{a, b} {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	var out []string
	_, err := diff.Run(t.Context(), diff.Side{Archive: a.Archive}, diff.Side{Archive: b.Archive}, diff.Options{Pair: diff.ByKey,
		Ignore: []string{"timestamp", "offset", "leader_epoch", "value.generated_at"}, TempDir: t.TempDir(), Each: func(d *diff.Difference) error {
			out = append(out, fmt.Sprintf("%s %s", d.Kind, d.Changes))
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheOneInvoiceOfAHundredThousandThatDiffersIsFound(t *testing.T) {
	n := int64(100_000)
	if testing.Short() { // the race detector finds in a tenth what it finds in all
		n = 10_000
	}
	results := run(t, options(t, orders(t, n)), service(), service(fmt.Sprintf("-wrong %d", n*7/9)))
	got := differences(t, results[0], results[1])
	if len(got) != 1 || !strings.Contains(got[0], "value.total") {
		t.Errorf("got differences %v, want one of value.total", got)
	}
	for _, r := range results {
		if r.Records() != n || r.Drained <= 0 || r.Drained > r.Took || r.CPU <= 0 || r.ByItself {
			t.Errorf("%s: got %d records, drained %s of %s, CPU %s, ended by itself %t", r.Name, r.Records(), r.Drained, r.Took, r.CPU, r.ByItself)
		}
		if len(r.Lag) == 0 || r.Lag[len(r.Lag)-1].Offsets != 0 {
			t.Errorf("%s: got lag %v, want one that ends with 0", r.Name, r.Lag)
		}
	}
}

func TestAProgramThatEndsIsDone(t *testing.T) {
	o := options(t, orders(t, 10))
	o.Settle = time.Minute
	r := run(t, o, service("-until 9"))[0]
	if r.Err != nil || !r.ByItself || r.Records() != 10 || r.Left != "" {
		t.Errorf("got error %v, by itself %t, %d records, left %q; want a program that wrote 10 and ended", r.Err, r.ByItself, r.Records(), r.Left)
	}
}

func TestAProgramThatCrashesFailsWithWhatItPrinted(t *testing.T) {
	o := options(t, orders(t, 10))
	results := run(t, o, service("-crash 5"), service())
	failed, ok := errors.AsType[*compare.ProgramError](results[0].Err)
	if !ok || !strings.Contains(failed.Output, "order 5: out of ink") || !strings.Contains(failed.Error(), "v1: exit status 3") {
		t.Errorf("got %v, want exit status 3 and what was printed", results[0].Err)
	}
	if results[1].Err != nil || results[1].Records() != 10 {
		t.Errorf("the other program: got %v and %d records, want 10", results[1].Err, results[1].Records())
	}
	if log, err := os.ReadFile(filepath.Join(o.Dir, "v1.log")); err != nil || !strings.Contains(string(log), "out of ink") {
		t.Errorf("its log: got %q, %v", log, err)
	}
}

func TestProgramsThatAreNeverDoneFailInTime(t *testing.T) {
	for args, want := range map[string]string{"-idle": "there is no consumer group", "-endless": "group billing: it has committed"} {
		o := options(t, orders(t, 10))
		var err error
		for o.Timeout = 2 * time.Second; o.Timeout < time.Minute; o.Timeout *= 2 { // a busy machine takes longer to get so far
			err = run(t, o, service(args))[0].Err
			if !errors.Is(err, compare.ErrTimeout) || strings.Contains(err.Error(), want) {
				break
			}
		}
		if !errors.Is(err, compare.ErrTimeout) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
}

func TestAProgramThatWritesNothingIsDone(t *testing.T) {
	r := run(t, options(t, orders(t, 10)), service("-silent"))[0]
	if r.Err != nil || r.Records() != 0 || !slices.Equal(r.Topics, []compare.TopicCount{{Topic: "invoices"}}) {
		t.Errorf("got %v, %v; want no record of invoices", r.Err, r.Topics)
	}
}

func TestACommandThatIsNotThereFails(t *testing.T) {
	r := run(t, options(t, orders(t, 1)), "/nowhere/service")[0]
	if failed, ok := errors.AsType[*compare.ProgramError](r.Err); !ok || !strings.Contains(failed.Output, "/nowhere/service") {
		t.Errorf("got %v, want one that names the command", r.Err)
	}
}

func TestChildrenEndWithTheirProgram(t *testing.T) {
	child := filepath.Join(t.TempDir(), "child")
	for _, args := range []string{"-until 0", ""} { // it ends by itself, or is ended
		if r := run(t, options(t, orders(t, 1)), service("-orphan", child, args))[0]; r.Err != nil {
			t.Fatal(r.Err)
		}
		gone(t, child)
	}
}

// gone waits until the process that a file names has ended.
func gone(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		t.Fatal(err)
	}
	for range time.Tick(time.Millisecond) {
		if !alive(pid) {
			return
		}
	}
}

// alive says whether a process runs; one that nobody has waited for does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestAnInterruptEndsTheProgramAndAll(t *testing.T) {
	child := filepath.Join(t.TempDir(), "child")
	ctx, cancel := context.WithCancel(t.Context())
	o := options(t, orders(t, 10))
	o.Began = func(string, string, func()) func() {
		go func() {
			for range time.Tick(10 * time.Millisecond) {
				if b, err := os.ReadFile(child); err == nil && len(b) > 0 {
					cancel()
					return
				}
			}
		}()
		return func() {}
	}
	_, err := compare.Run(ctx, []compare.Program{{Name: "v1", Command: service("-idle -orphan", child)}}, o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	gone(t, child)
}

func TestAProgramIsNotDoneBeforeTheSchedule(t *testing.T) {
	o := options(t, orders(t, 3))
	o.Settle, o.Serve.Schedule = time.Millisecond, timeline.Schedule{Pace: timeline.Rate(2, time.Second)}
	if r := run(t, o, service())[0]; r.Err != nil || r.Records() != 3 {
		t.Errorf("got %v and %d records, want 3", r.Err, r.Records())
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	a := orders(t, 1)
	for name, change := range map[string]func(*compare.Options){
		"no output":                 func(o *compare.Options) { o.Outputs = nil },
		"nothing to serve":          func(o *compare.Options) { o.Outputs = []string{"orders"} },
		"an output of a wrong name": func(o *compare.Options) { o.Outputs = []string{"in voices"} },
		"an output that leads out":  func(o *compare.Options) { o.Outputs = []string{"../invoices"} },
	} {
		o := options(t, a)
		change(&o)
		if _, err := compare.Run(t.Context(), []compare.Program{{Name: "v1", Command: "true"}}, o); err == nil {
			t.Errorf("%s: got no error", name)
		}
		if entries, err := os.ReadDir(o.Dir); err != nil || len(entries) > 0 {
			t.Errorf("%s: got %v, %v; want nothing that was begun", name, entries, err)
		}
	}
	for _, names := range [][]string{{"v1", "v1"}, {"v1", "V1"}, {"v1", "v1.log"}, {"v1.log", "v1"}, {""}, {"../v1"}, {"a b"}, {".v"}} {
		var programs []compare.Program
		for _, n := range names {
			programs = append(programs, compare.Program{Name: n, Command: "true"})
		}
		if _, err := compare.Run(t.Context(), programs, options(t, a)); err == nil {
			t.Errorf("names %q: got no error", names)
		}
	}
}

// hold takes memory, in bytes.
func hold(bytes string) {
	n, err := strconv.Atoi(bytes)
	if err != nil {
		panic(err)
	}
	held := make([]byte, n)
	for i := 0; i < n; i += os.Getpagesize() {
		held[i] = 1
	}
	os.Exit(int(held[0]) - 1)
}

func TestMemoryIsThatOfTheProgramAndNotOurs(t *testing.T) {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	large := own.Maxrss<<10 + 64<<20
	if runtime.GOOS == "darwin" {
		large = own.Maxrss + 64<<20
	}
	seen := filepath.Join(t.TempDir(), "seen")
	o := options(t, orders(t, 1))
	o.OnLook = func(name string, _ compare.LagPoint, _ int64) {
		if name == "v2" {
			os.WriteFile(seen, nil, 0o600)
		}
	}
	results := run(t, o, fmt.Sprintf("exec %s hold %d", os.Args[0], large), "until [ -e "+seen+" ]; do sleep 0.01; done", "true")
	if got := results[0].Memory; got < large {
		t.Errorf("a large program: got %d bytes, want %d or more", got, large)
	}
	const shell = 16 << 20 // more than any takes, and less than this process does
	for _, r := range results[1:] {
		if r.Memory > shell {
			t.Errorf("%s, a shell: got %d bytes, want at most %d", r.Name, r.Memory, shell)
		}
	}
	if runtime.GOOS == "linux" && results[1].Memory == 0 {
		t.Error("a shell that was looked at: got no memory")
	}
}
