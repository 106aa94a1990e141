package memfs

import (
	"errors"
	"io/fs"
)

// Fault is what goes wrong with an operation.
type Fault struct {
	// Err is what the call reports, inside an *fs.PathError or *os.LinkError. ErrCrashed ends the machine in the middle of the operation.
	Err error
	// Keep is how many bytes of a Write arrive all the same, at most all of them. (0 with ErrCrashed is all of them, as for other calls.)
	Keep int
	// Done says that the operation takes effect, and only its report is wrong.
	Done bool
}

// Inject adds a rule that is asked before every operation what goes wrong with it; nil is nothing. Of several rules the first one
// that answers counts. A rule must not call the FS. A crash ends all rules.
func (f *FS) Inject(rule func(Op) *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rule)
}

// FailAt makes operation n fail with err, without effect.
func (f *FS) FailAt(n int, err error) { f.Inject(at(n, &Fault{Err: err})) }

// FailLateAt makes operation n take effect and report err.
func (f *FS) FailLateAt(n int, err error) { f.Inject(at(n, &Fault{Err: err, Done: true})) }

// TearAt makes operation n, if it is a Write, end after keep bytes with err. Other calls fail without effect.
func (f *FS) TearAt(n, keep int, err error) { f.Inject(at(n, &Fault{Err: err, Keep: keep})) }

// CrashAt makes operation n the last one: it and all after it fail with ErrCrashed. What it should have changed counts as not
// synced, so that Crash may keep it, lose it or tear it.
func (f *FS) CrashAt(n int) { f.Inject(at(n, &Fault{Err: ErrCrashed})) }

// FailFrom makes operation n and all after it fail with err, without effect: the disk is gone.
func (f *FS) FailFrom(n int, err error) {
	f.Inject(func(o Op) *Fault {
		if o.N < n {
			return nil
		}
		return &Fault{Err: err}
	})
}

func at(n int, ft *Fault) func(Op) *Fault {
	return func(o Op) *Fault {
		if o.N != n {
			return nil
		}
		return ft
	}
}

// SetFree leaves room for n more bytes of file contents; a negative n takes the bound away, as at first. A Write beyond it writes what
// fits and fails with ENOSPC. Truncate, and Remove with the last name and handle of a file, give room back.
func (f *FS) SetFree(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bounded, f.free = n >= 0, n
}

// SetReadOnly remounts the file system: while it is read-only, calls that write fail with EROFS, also on files that are open.
func (f *FS) SetReadOnly(ro bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opts.ReadOnly = ro
}

// fault is what the rules say about op.
func (f *FS) fault(op Op) *Fault {
	for _, rule := range f.rules {
		if ft := rule(op); ft != nil {
			return ft
		}
	}
	return nil
}

// do runs one operation: it numbers and traces it and lets the rules interfere. apply is its effect. A fault without effect calls
// instead partly, if there is one.
func (f *FS) do(op Op, apply func() error, partly func(*Fault)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !fs.ValidPath(op.Name) || op.twoNames() && !fs.ValidPath(op.To) {
		apply, partly = func() error { return fs.ErrInvalid }, nil
	}
	return f.run(op, apply, partly)
}

// run is do under the mutex.
func (f *FS) run(op Op, apply func() error, partly func(*Fault)) error {
	if f.dead {
		return op.wrap(ErrCrashed)
	}
	op.N = f.ops
	f.ops++
	err := f.perform(op, apply, partly)
	f.trace = append(f.trace, event{op: op, err: err})
	return op.wrap(err)
}

func (f *FS) perform(op Op, apply func() error, partly func(*Fault)) error {
	ft := f.fault(op)
	switch {
	case ft == nil:
		return apply()
	case errors.Is(ft.Err, ErrCrashed):
		// A change that was under way is one that nobody synced. A sync that was under way has promised nothing.
		switch {
		case op.Call == Sync || op.Call == SyncDir:
		case op.Call == Write && ft.Keep > 0 && partly != nil:
			partly(ft)
		default:
			apply()
		}
		f.dead = true
	case ft.Done:
		if err := apply(); err != nil {
			return err
		}
	case partly != nil:
		partly(ft)
	}
	return ft.Err
}
