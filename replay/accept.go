package replay

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
)

// timestampWindow is how far from its own time a topic accepts timestamps, in milliseconds.
type timestampWindow struct{ beforeMs, afterMs int64 }

// accepts is the window of a topic that keeps producers' timestamps. Brokers before 3.6 have one config for both directions.
func (t targetTopic) accepts() timestampWindow {
	w := timestampWindow{math.MaxInt64, math.MaxInt64}
	if n, ok := t.number("message.timestamp.difference.max.ms"); ok {
		w = timestampWindow{n, n}
	}
	if n, ok := t.number("message.timestamp.before.max.ms"); ok {
		w.beforeMs = n
	}
	if n, ok := t.number("message.timestamp.after.max.ms"); ok {
		w.afterMs = n
	}
	return w
}

// holds says whether the topic accepts a timestamp at the moment now. It always accepts none.
func (w timestampWindow) holds(timestampMs int64, now time.Time) bool {
	ms := now.UnixMilli()
	switch {
	case timestampMs == format.NoTimestamp || !moment.Sendable(timestampMs): // what cannot be sent is another matter
		return true
	case timestampMs < ms:
		return ms-timestampMs <= w.beforeMs
	}
	return timestampMs-ms <= w.afterMs
}

// sure returns the latest timestamp that the topic accepts at any moment from now on, with all before it. Asking for the time with every
// record would cost a tenth of a replay.
func (w timestampWindow) sure(now time.Time) int64 {
	if w.beforeMs != math.MaxInt64 {
		return math.MinInt64
	}
	return saturating.Add(now.UnixMilli(), w.afterMs)
}

func (w timestampWindow) before() string { return millisText(w.beforeMs) }

func (w timestampWindow) after() string { return millisText(w.afterMs) }

func millisText(ms int64) string {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return "any time"
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

// acceptance is what the target takes, as far as it can be known before sending. Brokers refuse a whole batch for one such record, and
// the client would tell only later.
type acceptance struct {
	maxBatchBytes int64 // 0: unknown
	shrinker      *shrinker
	needsKey      bool
	window        timestampWindow
	keep          bool // timestamps are sent as they are
	stamped       bool // the target sets timestamps, so it accepts any
	clock         Clock
	sureMs        int64 // later moments accept every timestamp up to this one
}

func newAcceptance(t targetTopic, shrinker *shrinker, o *Options) *acceptance {
	a := &acceptance{shrinker: shrinker, needsKey: isCompacted(t.configs), window: t.accepts(), keep: o.Timestamps != NowTimestamps, clock: o.Clock}
	a.stamped = t.configs["message.timestamp.type"] == "LogAppendTime"
	a.maxBatchBytes, _ = t.number("max.message.bytes")
	a.sureMs = a.window.sure(o.Clock.Now())
	return a
}

// check returns why the target will not take a record, or nil.
func (a *acceptance) check(rec *kgo.Record, timestampMs int64) error {
	switch {
	case a.maxBatchBytes > 0 && tooLarge(rec, a.maxBatchBytes) && !a.shrinker.fits(rec, a.maxBatchBytes):
		return a.shrinker.tooLarge()
	case a.needsKey && rec.Key == nil:
		return errNoKey
	case !a.keep:
		return nil
	case !moment.Sendable(timestampMs):
		return errTimestampRange
	case !a.stamped && timestampMs > a.sureMs && !a.window.holds(timestampMs, a.clock.Now()):
		return errTimestampWindow
	}
	return nil
}

// The sizes of Kafka's record batch format, version 2.
const (
	batchHeaderBytes    = 61 // of a batch, before its records
	recordFixedBytes    = 1 + 1 + 1
	recordOverheadLimit = 5 + recordFixedBytes + 5 + 5 + 5 // with every length at its longest
	headerOverheadLimit = 5 + 5
)

// tooLarge says whether a batch of rec alone is larger than limit, before compression, as the client counts.
func tooLarge(rec *kgo.Record, limit int64) bool {
	most := int64(batchHeaderBytes + recordOverheadLimit + len(rec.Key) + len(rec.Value))
	for i := range rec.Headers {
		most += int64(headerOverheadLimit + len(rec.Headers[i].Key) + len(rec.Headers[i].Value))
	}
	return most > limit && batchHeaderBytes+recordSize(rec) > limit
}

// recordSize is the encoded size of rec as the first record of a batch.
func recordSize(rec *kgo.Record) int64 {
	n := recordBody(rec)
	return int64(n + kbin.VarintLen(int32(n)))
}

// recordBody is the same without the length in front.
func recordBody(rec *kgo.Record) int {
	n := recordFixedBytes + fieldSize(len(rec.Key), rec.Key == nil) + fieldSize(len(rec.Value), rec.Value == nil) +
		kbin.VarintLen(int32(len(rec.Headers)))
	for i := range rec.Headers {
		h := &rec.Headers[i]
		n += fieldSize(len(h.Key), false) + fieldSize(len(h.Value), h.Value == nil)
	}
	return n
}

// fieldSize is the size of a length, -1 for null, and what it counts.
func fieldSize(n int, null bool) int {
	if null {
		return 1
	}
	return kbin.VarintLen(int32(n)) + n
}
