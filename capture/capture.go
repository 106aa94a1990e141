// Package capture copies records out of Kafka into an archive of package format.
//
// Run is all of it: one call is one capture. A snapshot takes what there is when it begins and ends by itself; a follow capture goes
// on until its context ends. Run again on the same archive continues it, wherever and however the run before ended: Kafka
// is the write-ahead log, and the archive itself knows where to go on. Nothing is committed to Kafka, and no consumer group is used, but by
// a group.Member: then several processes share the partitions of a follow capture, and offsets are committed for others to see.
//
// The promise: every record that the cluster still holds is in the archive once, bit for bit, or its offset is in the archive's ledger
// with a reason, or Run returns an error that names what is wrong. A snapshot of the same offsets with the same options writes the
// same bytes, however often it was interrupted. Memory does not grow with the number of partitions or with their size.
//
// Data flows one way: a fetcher for each broker, a lane for each partition being captured, a segment writer, a seal. Run
// returns when all of their goroutines have ended.
package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/internal/turn"
)

// Run captures into archive, which must be open for writing and stays open. Connect says how to reach the cluster: seed brokers, TLS,
// SASL and the like. Of a member of a group two clients have these options; hooks among them must be for more than one.
//
// The report is right also when there is an error: it counts what was sealed, and sealed segments stay. When ctx ends, a follow capture
// seals what it has and returns nil, and a snapshot drops what it did not seal and returns an error that wraps ctx's. Errors to
// branch on: ErrConnect, those of package selection; *MismatchError, *RecreatedTopicError and
// *TruncatedError when the archive cannot be continued; *group.Error of a member; *PartitionError, of which one that stalled wraps ErrStalled; and those of package format.
func Run(ctx context.Context, connectTo []kgo.Opt, archive *format.Archive, o Options) (Report, error) {
	s, err := o.normalize()
	if err != nil {
		return Report{}, err
	}
	c, err := connect(ctx, connectTo, &s)
	if err != nil {
		return Report{}, err
	}
	defer c.Close()
	if s.Member.Group != "" && !archive.Shared() {
		return Report{}, options.New("", "a group fills an archive that several may write, and this one is open for one alone")
	}
	p, m, err := agreedPlan(ctx, c, archive, &s)
	if err != nil {
		return Report{}, err
	}
	r := newRun(ctx, c, m, archive, &s)
	if s.Member.Group != "" {
		r.assignment = newMembership(r, connectTo, p)
	}
	return r.do(ctx, p)
}

// run is one capture under way.
type run struct {
	settings     *settings
	archive      *format.Archive
	encoding     format.Encoding
	cluster      *cluster
	source       *source
	assignment   assignment
	encoders     chan struct{}
	decompressor *decompressor
	memory       *memory
	spool        *spool // of segments that wait to be sealed into a store; nil: they are in their place already
	quota        *quota // nil: none
	progress     *progress

	fetching context.Context // ends when nothing more is to be fetched; its cause says why
	stop     context.CancelCauseFunc
	lanes    sync.WaitGroup
	active   atomic.Int32  // lanes under way
	seals    chan struct{} // one for each segment that is being sealed

	identity turn.Lock // held from reading what the archive says of itself to writing it
	codecs   *codecCounts

	mu       sync.Mutex // guards what follows
	err      error      // the first of a lane
	left     []error    // of partitions that could not be read, until the end
	reports  map[format.TopicPartition]*PartitionReport
	warnings []string

	behindOthers int // segments that other captures sealed first

	held []string // what open transactions held back in the end

	unadopted error // why a partition is not captured yet
	strangers error // who else is in the group, and has partitions
}

// concurrentSeals keeps a follow capture of many partitions from syncing all of their files at once when they are due together.
const concurrentSeals = 8

// stopError is the cause of an end that is no failure.
type stopError struct{ reason StopReason }

func (e stopError) Error() string { return "stopped: " + string(e.reason) }

var errComplete = errors.New("complete")

func newRun(ctx context.Context, c *cluster, m *kafka.Metadata, a *format.Archive, s *settings) *run {
	r := &run{
		settings: s, archive: a, encoding: a.Identity().Encoding, cluster: c, encoders: encoders(), decompressor: newDecompressor(s.MemoryBytes),
		memory: newMemory(s.MemoryBytes), progress: newProgress(), seals: make(chan struct{}, concurrentSeals),
		reports: map[format.TopicPartition]*PartitionReport{}, codecs: newCodecCounts(a.Identity().Topics),
	}
	if a.Shared() && s.Follow {
		r.spool = newSpool(s.SpoolBytes)
	}
	r.fetching, r.stop = context.WithCancelCause(ctx)
	r.quota = newQuota(s.StopAfter, func(why StopReason) { r.stop(stopError{why}) })
	r.source = newSource(r.fetching, c, m, s)
	r.source.fatal = r.stop
	r.assignment = fixed{r}
	r.source.seen = func(m *kafka.Metadata) { r.assignment.look(m) }
	r.source.unreadable = r.leave
	return r
}

// do captures what p says.
func (r *run) do(ctx context.Context, p *plan) (Report, error) {
	r.warnings = p.warnings
	if d := r.settings.StopAfter.Duration; d > 0 {
		defer time.AfterFunc(d, func() { r.stop(stopError{StoppedByDuration}) }).Stop()
	}
	r.assignment.begin(p)
	var others sync.WaitGroup
	others.Go(r.source.run)
	others.Go(r.tell)
	r.lanes.Wait()
	if !r.settings.Follow && r.fetching.Err() == nil {
		r.lookAgain()
	}
	r.stop(errComplete)
	r.held = r.source.warnings()
	others.Wait()
	r.assignment.end()
	if err := r.keepCodecs(); err != nil {
		r.fail(err)
	}
	r.takeGroupsAgain(ctx)
	return r.finalReport(ctx, p), r.result(ctx)
}

// start begins the lanes: all at once in a follow capture, a few at a time in a snapshot.
func (r *run) start(all []work) {
	var todo []work
	for _, w := range all {
		r.enlist(w)
		if !w.done() {
			todo = append(todo, w)
		}
	}
	var next atomic.Int64
	for range r.settings.lanes(len(todo)) {
		r.lanes.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(todo)) && r.fetching.Err() == nil; i = next.Add(1) - 1 {
				r.take(todo[i])
			}
		})
	}
}

// enlist counts a partition.
func (r *run) enlist(w work) {
	r.report(w)
	r.progress.plan(w)
}

// take captures one partition.
func (r *run) take(w work) {
	r.active.Add(1)
	defer r.active.Add(-1)
	l := newLane(r, w)
	err := l.take()
	for r.overtaken(err) {
		r.source.quit(l.tp, l.inbox)
		if l.tenure.isOver() {
			r.cameSecond()
			return
		}
		next, failed := r.behind(l)
		if failed != nil {
			r.fail(failed)
			return
		}
		if next == nil {
			return
		}
		l, err = next, next.take()
	}
	if err != nil {
		if isUnreadable(err) {
			r.source.quit(l.tp, l.inbox)
			r.leave(err)
			return
		}
		r.fail(err)
		return
	}
	if l.base == l.end {
		l.counter.done()
	}
}

// leave notes why a partition is not read any further. The others are.
func (r *run) leave(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = append(r.left, err)
}

// fail ends the capture with an error of a lane.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.err == nil {
		r.err = err
	}
	r.mu.Unlock()
	r.stop(err)
}

// sealing waits for its turn to seal, and returns how to give it back.
func (r *run) sealing() (release func()) {
	r.seals <- struct{}{}
	return func() { <-r.seals }
}

// report is the place for a partition's part of the report.
func (r *run) report(w work) *PartitionReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.reports[w.tp]
	if p == nil {
		p = &PartitionReport{Partition: w.tp.Partition, Start: w.from, Next: w.from, End: w.end, Totals: noTotals()}
		p.Behind = w.behind
		r.reports[w.tp] = p
	}
	return p
}

// tell reports progress until nothing more is fetched, and once when all is done.
func (r *run) tell() {
	if r.settings.OnProgress == nil {
		return
	}
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for r.fetching.Err() == nil {
		select {
		case <-r.fetching.Done():
		case <-tick.C:
			r.settings.OnProgress(r.now())
		}
	}
	r.lanes.Wait()
	r.settings.OnProgress(r.now())
}

func (r *run) now() Progress {
	p := r.progress.now()
	p.Handed = r.assignment.handed()
	behind := r.source.behind()
	for i := range p.Topics {
		lag := behind[p.Topics[i].Topic]
		p.Topics[i].Lag, p.Topics[i].LagPartitions = lag.offsets, lag.partitions
	}
	trouble := r.source.trouble()
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Overtaken = r.behindOthers
	if trouble == nil {
		trouble = r.uncaptured()
	}
	if len(r.left) > 0 { // which does not pass by itself
		trouble = fmt.Errorf("%d of %d partitions left: %w", len(r.left), p.Partitions, r.left[0])
	}
	if trouble != nil {
		p.Trouble = trouble.Error()
	}
	return p
}

func (r *run) finalReport(ctx context.Context, p *plan) Report {
	sum := Report{Follow: r.settings.Follow, Resumed: p.resumed, Elapsed: time.Since(r.progress.begun), Totals: noTotals(), requireHW: r.settings.RequireHW}
	r.mu.Lock()
	defer r.mu.Unlock()
	sum.Handed = r.assignment.handed()
	sum.Warnings, sum.Overtaken, sum.Dropped = slices.Clone(r.warnings), r.behindOthers, r.progress.now().Dropped
	if err := r.uncaptured(); err != nil {
		sum.Warnings = append(sum.Warnings, fmt.Sprintf("a partition is not captured: %v", err))
	}
	sum.Warnings = append(sum.Warnings, r.held...)
	for i := 1; i < len(r.left); i++ { // the first is the error of the capture
		sum.Warnings = append(sum.Warnings, r.left[i].Error())
	}
	r.reportGroups(&sum)
	for _, tp := range sortedPartitions(r.reports) {
		sum.addPartition(tp.Topic, r.reports[tp])
	}
	if stopped, ok := errors.AsType[stopError](context.Cause(r.fetching)); ok {
		sum.Stopped = stopped.reason
	} else if r.settings.Follow && r.interrupted(ctx) {
		sum.Stopped = StoppedByContext
	}
	return sum
}

// interrupted says whether it was the caller's context that ended the capture, and not an error that it came after.
func (r *run) interrupted(ctx context.Context) bool {
	return ctx.Err() != nil && errors.Is(context.Cause(r.fetching), context.Cause(ctx))
}

// result is the error of the run: that of a lane first, because it may have come while the others were being sealed.
func (r *run) result(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	if len(r.left) > 0 {
		return r.left[0]
	}
	cause := context.Cause(r.fetching)
	switch {
	case errors.Is(cause, errComplete), isA[stopError](cause), r.complete():
		return nil
	case !r.interrupted(ctx):
		return cause
	case r.settings.Follow:
		return nil
	}
	return fmt.Errorf("the snapshot is not complete: %w", cause)
}

// complete says whether a snapshot has everything, an interruption or not. The caller holds mu.
func (r *run) complete() bool {
	for _, p := range r.reports {
		if p.Next < p.End || p.End == noEnd {
			return false
		}
	}
	return true
}
