package memfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ErrCrashed is wrapped by every error of an FS that has crashed.
var ErrCrashed = errors.New("crashed")

// Call names the method that an operation is a call of.
type Call string

// The calls, as they are counted. Unlock is Close of a lock.
const (
	Open       Call = "open"
	Create     Call = "create"
	OpenAppend Call = "append"
	Link       Call = "link"
	Rename     Call = "rename"
	Remove     Call = "remove"
	Mkdir      Call = "mkdir"
	ReadDir    Call = "readdir"
	Stat       Call = "stat"
	SyncDir    Call = "syncdir"
	Lock       Call = "lock"
	Share      Call = "share"
	Unlock     Call = "unlock"
	ReadAt     Call = "readat"
	Write      Call = "write"
	Size       Call = "size"
	Truncate   Call = "truncate"
	Sync       Call = "sync"
	Close      Call = "close"
)

// Op is one call of a method of an FS, of one of its files or locks.
type Op struct {
	N    int // its number, from 0
	Call Call
	Name string // of the file or directory; for a file, as it was opened
	To   string // the new name in Link and Rename, otherwise empty
	Off  int64  // where ReadAt and Write begin; the length that Truncate asks for
	Len  int    // bytes asked for in ReadAt and Write
}

// Changes reports whether the call changes a file, a name or what is durable.
func (o Op) Changes() bool {
	switch o.Call {
	case Open, ReadDir, Stat, ReadAt, Size, Close:
		return false
	}
	return true
}

// String is the operation as it stands in a trace: "#7 write tmp/a 0+512".
func (o Op) String() string {
	s := fmt.Sprintf("#%d %s %s", o.N, o.Call, o.Name)
	switch o.Call {
	case Link, Rename:
		return s + " -> " + o.To
	case ReadAt, Write:
		return fmt.Sprintf("%s %d+%d", s, o.Off, o.Len)
	case Truncate:
		return fmt.Sprintf("%s %d", s, o.Off)
	}
	return s
}

func (o Op) twoNames() bool { return o.Call == Link || o.Call == Rename }

// wrap gives err the type that package os gives it.
func (o Op) wrap(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if o.twoNames() {
		return &os.LinkError{Op: string(o.Call), Old: o.Name, New: o.To, Err: err}
	}
	return &fs.PathError{Op: string(o.Call), Path: o.Name, Err: err}
}

// event is a line of the trace.
type event struct {
	note string // in place of an operation: how a machine ended
	op   Op
	err  error
}

// Trace lists the operations so far, one a line, those of the machines before this one first. It is for messages of failed tests.
func (f *FS) Trace() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, e := range f.trace {
		switch {
		case e.note != "":
			fmt.Fprintf(&b, "-- %s\n", e.note)
		case e.err != nil:
			fmt.Fprintf(&b, "%v: %v\n", e.op, e.err)
		default:
			fmt.Fprintln(&b, e.op)
		}
	}
	return b.String()
}

// Ops is the number of operations of this machine so far, which is the number that the next one gets.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}
