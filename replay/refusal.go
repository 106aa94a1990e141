package replay

import (
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// refusalLogger hears from the client which partition refused a batch, at the moment it happens.
//
// The callbacks of the refused records come too late: they run on another goroutine, and until the first of them has run a later
// record may be given to the client, which would send it, past the ones that failed. The client logs a refusal while it holds the
// partition's lock, before it gives the batch up; ending the destination's context there makes it fail whatever follows. The hooks of the
// client would do instead of its log, but it has none that is called then: OnProduceRecordUnbuffered comes with the callbacks.
//
// What the client logs is no part of what it promises. The tests in clientlog_test.go hold each message that counts here against the client
// itself, and fail on the day that a new version words one otherwise.
type refusalLogger struct {
	next    kgo.Logger // of the user; may be nil
	refused func(topic string, partition int32, err error)
	renewed func() // the client made itself known as a producer; may be nil

	quiet    atomic.Bool            // nothing is acknowledged: listen for what the client only retries
	retrying atomic.Pointer[string] // the last answer of that kind since; nil: none
}

// producedMessage sums up the answers to a produce request, at the debug level. Nothing else tells of those that the client retries.
const producedMessage = "produced"

// renewedMessage is the client's when it has a producer id.
const renewedMessage = "producer id initialization success"

// retriedAnswer finds the first of them in it.
var retriedAnswer = regexp.MustCompile(`retrying@[^(]*\(([^)]*)\)`)

// The messages of the client before it gives up all records of a partition.
const (
	refusedMessage  = "batch in a produce request failed"
	unloadedMessage = "produce partition load error, bumping error count on first stored batch"
)

// Level is at least info, the level of refusedMessage, and debug while nothing is acknowledged.
func (l *refusalLogger) Level() kgo.LogLevel {
	least := kgo.LogLevelInfo
	if l.quiet.Load() {
		least = kgo.LogLevelDebug
	}
	if l.next == nil {
		return least
	}
	return max(l.next.Level(), least)
}

// listen says whether anything is acknowledged at the moment.
func (l *refusalLogger) listen(quiet bool) {
	if l.quiet.Swap(quiet) != quiet {
		l.retrying.Store(nil)
	}
}

// cause is why the client retries, as far as it told since nothing is acknowledged; nil: it did not.
func (l *refusalLogger) cause() error {
	if why := l.retrying.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}

// Log passes on what the user's logger wants to hear.
func (l *refusalLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if msg == refusedMessage || msg == unloadedMessage {
		l.note(msg, keyvals)
	} else if msg == producedMessage {
		l.noteRetry(keyvals)
	} else if msg == renewedMessage && l.renewed != nil {
		l.renewed()
	}
	if l.next != nil && level <= l.next.Level() {
		l.next.Log(level, msg, keyvals...)
	}
}

func (l *refusalLogger) note(msg string, keyvals []any) {
	values := make(map[any]any, len(keyvals)/2)
	for i := 0; i+1 < len(keyvals); i += 2 {
		values[keyvals[i]] = keyvals[i+1]
	}
	if msg == unloadedMessage && values["will_fail"] != true {
		return
	}
	topic, _ := values["topic"].(string)
	partition, ok := values["partition"].(int32)
	err, failed := values["err"].(error)
	if ok && failed {
		l.refused(topic, partition, err)
	}
}

func (l *refusalLogger) noteRetry(keyvals []any) {
	for i := 0; i+1 < len(keyvals); i += 2 {
		text, _ := keyvals[i+1].(string)
		if found := retriedAnswer.FindStringSubmatch(text); keyvals[i] == "to" && found != nil {
			l.retrying.Store(&found[1])
		}
	}
}

// reason spells an error so that equal causes count together: Kafka's own errors without the sizes and the like that surround them.
func reason(err error) string {
	if k, ok := errors.AsType[*kerr.Error](err); ok {
		return fmt.Sprintf("%s: %s", k.Message, k.Description)
	}
	return err.Error()
}
