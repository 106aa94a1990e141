package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/internal/serve"
)

// Program is what is run.
type Program struct {
	Name string // of its results
	// Command is for the system's shell. {broker} in it stands for the address, which is also in the environment: KAFKA_BOOTSTRAP_SERVERS and
	// KARCHIVE_BROKER.
	Command string
}

// Options say what programs are given, and when they are done. Serve, Outputs and Dir are needed.
type Options struct {
	// Serve is what each program's broker has. The topics in Outputs are left out of it, and its addresses are not used.
	Serve serve.Options
	// Outputs are the topics that programs write and that are kept. They are made before a program starts, with so many Partitions; 0: 1.
	Outputs    []string
	Partitions int32
	// Dir is an empty directory, for the archive NAME of each program and NAME.log, what it printed.
	Dir string
	// CreatedBy is who the archives say they are made by.
	CreatedBy string
	// Settle is how long nothing must be left to read and nothing be written until a program is done; 0: 2 s.
	Settle time.Duration
	// Timeout is how long a program may take; 0: ten minutes.
	Timeout time.Duration
	// Grace is how long a program has to end when it is asked to, before it is killed; 0: 10 s.
	Grace time.Duration
	// Began, when it is not nil, is told of each program that was started, and how to end it at once, with its children.
	Began func(name, address string, kill func()) (forget func())
	// OnLook, when it is not nil, is told every now and then how far a program is.
	OnLook func(name string, at LagPoint, written int64)
}

// The errors of options.
var (
	ErrNoOutput = errors.New("there is no topic that programs write")
	ErrNoInput  = errors.New("there is no topic to serve but those that programs write")
)

func (o *Options) complete(programs []Program) error {
	if len(o.Outputs) == 0 {
		return ErrNoOutput
	}
	for _, topic := range o.Outputs {
		if err := ondisk.CheckTopic(topic); err != nil {
			return &NameError{err}
		}
	}
	if err := checkNames(programs); err != nil {
		return err
	}
	options.Default(&o.Settle, 2*time.Second)
	options.Default(&o.Timeout, 10*time.Minute)
	options.Default(&o.Grace, 10*time.Second)
	options.Default(&o.Partitions, 1)
	o.Serve.Listen, o.Serve.Advertise, o.Serve.Users, o.Serve.TLS = "", "", nil, nil
	return o.leaveOut()
}

// NameError is a name that a program or an output cannot have.
type NameError struct{ err error }

// Error implements error.
func (e *NameError) Error() string { return e.err.Error() }

// checkNames refuses programs whose archives and logs would take each other's place, also where names that differ in case are one.
func checkNames(programs []Program) error {
	taken := map[string]string{}
	for _, p := range programs {
		if !validName(p.Name) {
			return &NameError{fmt.Errorf("%q is no name of a program: use letters, digits, dots, - and _", p.Name)}
		}
		for _, file := range []string{strings.ToLower(p.Name), strings.ToLower(p.Name) + logSuffix} {
			switch other, ok := taken[file]; {
			case ok && other == p.Name:
				return &NameError{fmt.Errorf("two programs are named %s", p.Name)}
			case ok:
				return &NameError{fmt.Errorf("programs cannot be named %s and %s: what they write would go to one file", other, p.Name)}
			}
			taken[file] = p.Name
		}
	}
	return nil
}

// validName says whether a name can be that of a file everywhere, and of nothing above or hidden.
func validName(name string) bool {
	if name == "" || name[0] == '.' || name[0] == '-' || len(name) > 100 {
		return false
	}
	return !slices.ContainsFunc([]rune(name), func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_')
	})
}

// leaveOut serves all but the topics that programs write.
func (o *Options) leaveOut() error {
	some := false
	o.Serve.Sources = slices.Clone(o.Serve.Sources)
	for i := range o.Serve.Sources {
		s := &o.Serve.Sources[i]
		takes, rename := s.Takes, s.Rename
		s.Takes = func(tp format.TopicPartition) bool {
			name := tp.Topic
			if rename != nil {
				name, _ = rename(name) // whoever serves it tells of the error
			}
			return !slices.Contains(o.Outputs, name) && (takes == nil || takes(tp))
		}
		some = some || slices.ContainsFunc(s.Archive.Partitions(), s.Takes)
	}
	if !some {
		return ErrNoInput
	}
	return nil
}
