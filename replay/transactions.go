package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// transactions makes what a player sends count together with the progress that says so. Records go into the open transaction; when it
// is old or large enough, sending waits while the checkpoint joins them and the target commits both. Decoding goes on meanwhile.
//
// What goes wrong in a transaction ends the replay, and the transaction with it: in the target is then what the last commit made, and
// the same command goes on from there.
type transactions struct {
	player *player
	client *kgo.Client
	topic  *checkpointTopic

	gate  *gate        // for records on their way to the client; closed while a transaction ends
	ends  atomic.Bool  // there are regular commits: a full transaction may wait for the next
	bytes atomic.Int64 // canonical, given to the client in this transaction
	since atomic.Int64 // when the first of them was, in nanoseconds of the clock
	full  atomic.Pointer[context.CancelFunc]
	quit  context.CancelFunc      // ends the regular commits
	ended chan struct{}           // closed when they have
	stop  context.CancelCauseFunc // ends the replay

	begun    atomic.Bool // a transaction has
	producer producer    // of this transaction
	settled  []settled   // what is committed, by part
	commits  int64

	mu      sync.Mutex
	over    bool  // the transaction is given up; what becomes of its records is no news
	failure error // why nothing more is committed
}

// producer is who the target takes the client for. It is one throughout a transaction; if not, the target has ended it meanwhile.
type producer struct {
	id    int64
	epoch int16
}

// newTransactions is nil for a replay that is not exactly once.
func (p *player) newTransactions() *transactions {
	if !p.settings.ExactlyOnce {
		return nil
	}
	t := &transactions{player: p, client: p.client, topic: p.settings.topic, gate: newGate(), ended: make(chan struct{}), quit: func() {}, stop: func(error) {}}
	p.refusals.renewed = t.renewed
	t.topic.Produce = func(r *kgo.Record) { t.client.Produce(context.Background(), r, t.saved) }
	t.settle()
	close(t.ended)
	return t
}

// fence makes the target refuse whatever others with this replay id still send, and end what they left open. The coordinator may be a
// broker that is down until another takes over: then the target is asked again.
func (t *transactions) fence(ctx context.Context) error {
	name := "transactional id " + TransactionPrefix + t.topic.ReplayID
	id := int64(-1)
	err := t.topic.target.Retry(ctx, "become the producer of "+name, func(ctx context.Context) (err error) {
		id, _, err = t.client.ProducerID(ctx)
		return err
	})
	switch {
	case err == nil && id < 0:
		return errors.New("the target does not know transactions")
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, kerr.InvalidTransactionTimeout):
		return fmt.Errorf("the target does not allow transactions of %s (transaction.max.timeout.ms): %w", t.player.settings.TransactionTimeout, err)
	}
	return denied(name, "Write", err)
}

// limit bounds an exchange with the target.
func (t *transactions) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	patience := t.player.settings.StallTimeout
	return context.WithTimeoutCause(ctx, patience, stalled(patience, t.player.dials.Last()))
}

// outlive bounds an exchange that the end of a replay does not break off at once: when ctx ends, there is the time that there is at the end.
func (t *transactions) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	limited, cancel := t.limit(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(t.player.settings.FlushTimeout, cancel) })
	return limited, func() { stop(); cancel() }
}

// begin opens a transaction. The target hears of it with the first record.
func (t *transactions) begin() error {
	t.begun.Store(false)
	err := t.client.BeginTransaction()
	if err == nil {
		// Known since the fence or the last commit, so nothing is asked.
		t.producer.id, t.producer.epoch, err = t.client.ProducerID(context.Background())
	}
	if err != nil {
		return t.explain(fmt.Errorf("begin a transaction: %w", err))
	}
	t.bytes.Store(0)
	t.since.Store(t.player.settings.Clock.Now().UnixNano())
	t.begun.Store(true)
	return nil
}

// enter waits until a record may be given to the client. It ends with leave.
func (t *transactions) enter(e *entry) {
	t.gate.enter()
	n := t.bytes.Add(int64(e.bytes))
	if n == int64(e.bytes) {
		t.since.Store(t.player.settings.Clock.Now().UnixNano())
	}
	if n >= t.player.settings.TransactionBytes && t.ends.Load() {
		t.gate.shut.Store(true)
		(*t.full.Load())()
	}
}

func (t *transactions) leave() { t.gate.leave() }

// start commits now and then, until finish, the end of ctx, or something goes wrong, which stop is told.
func (t *transactions) start(ctx context.Context, stop context.CancelCauseFunc) {
	t.stop = stop
	regular, quit := context.WithCancel(ctx)
	t.quit = quit
	t.ended = make(chan struct{})
	awake := context.CancelFunc(func() {})
	t.full.Store(&awake)
	t.ends.Store(true)
	go func() {
		defer close(t.ended)
		for t.await(regular) && t.commit(regular, ctx) == nil {
		}
		t.ends.Store(false)
		t.gate.close()() // nobody waits for a commit any more
	}()
}

// await waits until the transaction is to be committed; false: ctx has ended.
func (t *transactions) await(ctx context.Context) bool {
	o := &t.player.settings.Options
	for ctx.Err() == nil {
		sleep, wake := context.WithCancel(ctx)
		t.full.Store(&wake)
		if t.bytes.Load() < o.TransactionBytes {
			o.Clock.SleepUntil(sleep, o.Clock.Now().Add(o.CheckpointInterval)) // its error says that it was woken
		}
		wake()
		if t.bytes.Load() > 0 && ctx.Err() == nil {
			return true
		}
	}
	return false
}

// commit ends the transaction with the checkpoint in it, and begins the next one. Nothing is sent meanwhile. When ctx ends before all
// records are acknowledged, the transaction stays open. After that only the end of the replay, with its own context, hurries the commit.
func (t *transactions) commit(ctx, replay context.Context) error {
	defer t.gate.close()()
	// The checkpoint follows the last records at once and takes all of them for acknowledged. If one is not, neither counts.
	// Where groups belong is only known when they are, so that is waited for first.
	if t.player.moves != nil && t.client.Flush(ctx) != nil {
		return context.Cause(ctx)
	}
	err := t.topic.Save(ctx, t.player.current(false, (*ledger).promised))
	if err == nil && t.client.Flush(ctx) != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		err = t.end(replay)
	}
	if err == nil {
		err = t.begin()
	}
	t.fail(err)
	return err
}

// save commits an empty transaction with the checkpoint before the first record. At the end it says what finish could not commit.
func (t *transactions) save(ctx context.Context, final bool) error {
	if final {
		return t.failed()
	}
	limited, cancel := t.limit(ctx)
	defer cancel()
	return t.commit(limited, limited)
}

// end commits what is flushed. It goes on for a while when ctx ends, for only the answer says what is in the target.
func (t *transactions) end(ctx context.Context) error {
	if err := t.failed(); err != nil {
		return err
	}
	limited, cancel := t.outlive(ctx)
	defer cancel()
	err := t.noted(limited)
	if err == nil {
		err = t.client.EndTransaction(limited, kgo.TryCommit)
	}
	if err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return t.explain(fmt.Errorf("commit: %w", err))
	}
	if t.bytes.Load() > 0 {
		t.commits++
	}
	t.settle()
	return nil
}

func (t *transactions) settle() {
	t.settled = t.settled[:0]
	for _, part := range t.player.parts {
		t.settled = append(t.settled, part.ledger.settle())
	}
}

// finish commits what was sent last, with a checkpoint that says whether anything is left, or aborts when not all of it is acknowledged
// or something went wrong before. No record is sent any more.
func (t *transactions) finish(ctx context.Context, flushed bool) {
	t.quit()
	<-t.ended
	err := t.failed()
	if err == nil && flushed {
		err = t.commitLast(ctx)
		t.fail(err)
	}
	if err != nil || !flushed {
		t.abort(ctx)
	}
}

func (t *transactions) commitLast(ctx context.Context) error {
	if err := t.topic.Save(ctx, t.player.current(true, (*ledger).promised)); err != nil {
		return err
	}
	limited, cancel := t.outlive(ctx)
	defer cancel()
	if t.client.Flush(limited) == nil {
		return t.end(ctx)
	}
	err := context.Cause(limited)
	if !errors.Is(err, ErrStalled) {
		err = stalled(t.player.settings.FlushTimeout, t.player.dials.Last())
	}
	return fmt.Errorf("commit: %w", err)
}

// abort leaves nothing open in the target, if that can be reached: readers would wait for the end of the transaction.
func (t *transactions) abort(ctx context.Context) {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	for _, d := range t.player.destinations {
		d.refuse(errNotAcknowledged)
	}
	// Each has its time, and errors of all three mean that the target ends the transaction when it times out, or when the replay is
	// started again.
	t.briefly(ctx, func(ctx context.Context) { t.client.AbortBufferedRecords(ctx) })
	t.briefly(ctx, func(ctx context.Context) { t.client.EndTransaction(ctx, kgo.TryAbort) })
	// After a commit that was refused the client takes the transaction for ended. If it is, this is refused: the epoch is another.
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch = TransactionPrefix+t.topic.ReplayID, t.producer.id, t.producer.epoch
	t.briefly(ctx, func(ctx context.Context) { end.RequestWith(ctx, t.client) })
}

// briefly does something that ctx does not end, within the time that there is at the end.
func (t *transactions) briefly(ctx context.Context, do func(context.Context)) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.player.settings.FlushTimeout)
	defer cancel()
	do(limited)
}

// unsettle takes back what counted as acknowledged and was not committed. It is for the end, when nothing is under way.
func (t *transactions) unsettle() {
	for i, part := range t.player.parts {
		part.ledger.unsettle(t.settled[i])
	}
}
