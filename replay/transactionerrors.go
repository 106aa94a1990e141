package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// DeniedError is returned when the access rules of the target do not let a replay keep its progress there.
type DeniedError struct {
	Resource  string // "topic NAME", "transactional id ID"
	Operation string // of Kafka's access rules
	Err       error
}

// Error says what is not allowed.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s on %s is not allowed: %v", e.Operation, e.Resource, e.Err)
}

// Unwrap returns the target's answer.
func (e *DeniedError) Unwrap() error { return e.Err }

// denied is a DeniedError when err is about access, else err.
func denied(resource, operation string, err error) error {
	for _, about := range []*kerr.Error{kerr.TransactionalIDAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed} {
		if errors.Is(err, about) {
			return &DeniedError{Resource: resource, Operation: operation, Err: err}
		}
	}
	return err
}

// explain says what an error means that the target has with the transaction as a whole.
func (t *transactions) explain(err error) error {
	switch {
	case errors.Is(err, kerr.InvalidProducerIDMapping) || errors.Is(err, kerr.InvalidTxnState) || errors.Is(err, errOtherProducer):
	case !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch):
		return err
	case t.age() < t.player.settings.TransactionTimeout:
		// The target has another producer of this name, and not because it had to wait for this one.
		return fmt.Errorf("another replay with the id %s has begun, so %w: %w", t.topic.ReplayID, ErrFenced, err)
	}
	return fmt.Errorf("%w, as it does after %s without a commit: %w", ErrTransactionEnded, t.player.settings.TransactionTimeout, err)
}

// age is how long the transaction is open, by the wall clock, because the target's clock goes on while this machine sleeps.
func (t *transactions) age() time.Duration {
	return time.Duration(t.player.settings.Clock.Now().UnixNano() - t.since.Load())
}

// errOtherProducer is met when the client made itself known anew within a transaction.
var errOtherProducer = errors.New("the producer changed within a transaction")

// renewed is told when the client made itself known to the target. Within a transaction that ends it there, while the client goes on as if
// nothing had happened: it does so when retention has deleted what it just sent.
func (t *transactions) renewed() {
	if t.begun.Load() {
		t.fail(t.explain(errOtherProducer))
	}
}

// answered is told what became of a record, and returns that as far as the transaction is concerned.
func (t *transactions) answered(e *entry, err error) error {
	if err == nil {
		err = t.sameProducer(&e.record)
	}
	if err == nil {
		return nil
	}
	err = t.explain(err)
	l := e.chunk.ledger
	if errors.Is(err, ErrFenced) {
		t.fail(err)
	} else {
		t.fail(fmt.Errorf("%w: %s/%d stopped at offset %d, and the transaction with it: %w", ErrIncomplete, l.source.Topic, l.source.Partition, e.offset, err))
	}
	return err
}

// saved is told what became of a record of the checkpoint.
func (t *transactions) saved(r *kgo.Record, err error) {
	if err == nil {
		err = t.sameProducer(r)
	}
	if err != nil {
		t.fail(t.explain(t.topic.denied("Write", fmt.Errorf("save progress in %s: %w", CheckpointTopic, err))))
	}
}

func (t *transactions) sameProducer(r *kgo.Record) error {
	if (producer{r.ProducerID, r.ProducerEpoch}) != t.producer {
		return errOtherProducer
	}
	return nil
}

// fail notes why nothing more is committed, and ends the replay. The first error counts.
func (t *transactions) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil || t.over || t.failure != nil {
		return
	}
	t.failure = err
	t.stop(err)
}

// failed is why nothing more is committed. The receiver may be nil.
func (t *transactions) failed() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}
