package compare

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/outcome"
	"github.com/karchive/karchive/internal/serve"
)

// Run runs the programs, one after another. A program that fails says so in its Result and does not keep the others from running. The error
// is that of ctx, of options that make no sense, or of the disk; there are no results with it.
func Run(ctx context.Context, programs []Program, o Options) (results []Result, err error) {
	if err := o.complete(programs); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			Close(results)
			results = nil
		}
	}()
	for _, p := range programs {
		t := &trial{options: &o, program: p, result: Result{Name: p.Name}}
		if err := t.run(ctx); err != nil {
			return results, err
		}
		results = append(results, t.result)
	}
	return results, nil
}

// Close closes the archives of results.
func Close(results []Result) {
	for _, r := range results {
		if r.Archive != nil {
			r.Archive.Close()
		}
	}
}

// logSuffix ends the name of what a program printed.
const logSuffix = ".log"

// trial is a program that runs against its broker.
type trial struct {
	options *Options
	program Program
	server  *serve.Server
	cluster *kafka.Cluster
	printed *output
	process *process
	began   time.Time
	settling
	state  string // what there is to wait for
	groups outcome.Groups
	result Result
}

func (t *trial) run(ctx context.Context) (err error) {
	log, err := os.Create(filepath.Join(t.options.Dir, t.program.Name+logSuffix))
	if err != nil {
		return err
	}
	defer log.Close()
	if t.server, err = serve.Start(t.options.Serve); err != nil {
		return fmt.Errorf("start a broker: %w", err)
	}
	defer t.server.Close()
	if err := t.prepare(ctx); err != nil {
		return err
	}
	defer t.cluster.Close()
	if err := t.play(ctx, log); err != nil || t.result.Err != nil {
		return err
	}
	return t.keep(ctx)
}

// connectPatience is how long the broker in this process may take to answer.
const connectPatience = 30 * time.Second

// prepare connects to the broker and makes the outputs.
func (t *trial) prepare(ctx context.Context) (err error) {
	t.cluster, err = kafka.Connect(ctx, []kgo.Opt{kgo.SeedBrokers(t.server.Addr()), kgo.MetadataMinAge(shortestLook)}, connectPatience)
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	made, err := kadm.NewClient(t.cluster.Client()).CreateTopics(ctx, t.options.Partitions, 1, nil, t.options.Outputs...)
	if err == nil {
		err = made.Error()
	}
	if err != nil {
		t.cluster.Close()
		return fmt.Errorf("make the topics of the outputs: %w", err)
	}
	return nil
}

// play runs the program until it is done. The error is that of ctx.
func (t *trial) play(ctx context.Context, log io.Writer) (err error) {
	t.printed = &output{file: log, room: mostLogged}
	if t.process, err = start(t.program, t.server.Addr(), t.printed); err != nil {
		t.fail(err)
		return nil
	}
	if t.options.Began != nil {
		defer t.options.Began(t.program.Name, t.server.Addr(), t.process.kill)()
	}
	t.began, t.settling = time.Now(), settling{settle: t.options.Settle}
	err = t.watch(ctx)
	t.process.stop(t.options.Grace)
	r := &t.result
	r.Took, r.Drained = time.Since(t.began), t.drained
	r.CPU, r.Memory = t.process.used()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		t.fail(err)
	}
	return nil
}

func (t *trial) fail(err error) {
	t.result.Err = &ProgramError{t.program.Name, err, t.printed.tail()}
}

// keep captures what was written.
func (t *trial) keep(ctx context.Context) error {
	a, report, err := outcome.Capture(ctx, []kgo.Opt{kgo.SeedBrokers(t.server.Addr())}, filepath.Join(t.options.Dir, t.program.Name),
		t.options.CreatedBy, capture.Options{Topics: t.options.Outputs})
	if err != nil {
		return fmt.Errorf("keep what %s wrote: %w", t.program.Name, err)
	}
	t.result.Archive = a
	for _, topic := range report.Topics {
		t.result.Topics = append(t.result.Topics, TopicCount{topic.Topic, topic.Records})
	}
	return nil
}
