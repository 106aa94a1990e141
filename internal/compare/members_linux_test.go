package compare_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestAProcessThatLeftTheGroupEndsWithItsProgram(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("there is no setsid here")
	}
	child := filepath.Join(t.TempDir(), "child")
	daemon := "setsid sh -c 'trap \"\" TERM; printf $$ > " + child + "; sleep 600; sleep 600' & until [ -s " + child + " ]; do sleep 0.01; done; "
	for _, program := range []string{"true", service()} { // it ends by itself, or is ended
		if r := run(t, options(t, orders(t, 1)), daemon+program)[0]; r.Err != nil {
			t.Fatal(r.Err)
		}
		gone(t, child)
		os.Remove(child)
	}
}

// worked is how much processor time work takes.
const worked = 100 * time.Millisecond

// work takes processor time, makes a file and waits to be killed.
func work(file string) {
	var own syscall.Rusage
	for own.Utime.Nano() < int64(worked) {
		syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	}
	os.WriteFile(file, nil, 0o600)
	select {}
}

func TestProcessorTimeIsAlsoThatOfChildrenWhichNobodyWaitsFor(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	r := run(t, options(t, orders(t, 1)), os.Args[0]+" work "+done+" & until [ -e "+done+" ]; do sleep 0.01; done; "+service())[0]
	if r.Err != nil || r.CPU < worked {
		t.Errorf("got %s, %v; want %s or more", r.CPU, r.Err, worked)
	}
}
