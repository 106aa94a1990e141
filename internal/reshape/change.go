package reshape

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// change turns what was there into something else. Both methods append to dst what stands in its place, in JSON and as a whole key,
// value or header value; null is never given to inPayload, and its result is never null. Raw is valid JSON.
type change interface {
	inJSON(w *Worker, dst, raw []byte) ([]byte, error)
	inPayload(w *Worker, dst, b []byte) ([]byte, error)
}

// ruleError is why a rule cannot be applied to a record.
type ruleError struct {
	rule *rule
	err  error
}

func (e *ruleError) Error() string { return fmt.Sprintf("%s: %v", e.rule.text, e.err) }

func (e *ruleError) Unwrap() error { return e.err }

// The reasons why a change is not possible.
var (
	errNotATime    = errors.New("not a time")
	errNotInTable  = errors.New("not in the table")
	errMissingPath = errors.New("required, and missing in the record")
)

// isBlank says that a JSON value holds nothing that could be anybody's.
func isBlank(raw []byte) bool {
	switch string(raw) {
	case "null", "true", "false", "0", `""`, `"` + redacted + `"`, "{}", "[]":
		return true
	}
	return false
}

func isNull(raw []byte) bool { return raw[0] == 'n' }

// text is a JSON value as text: a string without its quotes and escapes, everything else as it stands. It is valid until the next call.
func (w *Worker) text(raw []byte) []byte {
	if raw[0] != '"' {
		return raw
	}
	w.scratch = appendUnescaped(w.scratch[:0], raw)
	return w.scratch
}

// redacted stands for a text that was taken out.
const redacted = "***"

// redactChange leaves the type and nothing else.
type redactChange struct{}

func (redactChange) inJSON(_ *Worker, dst, raw []byte) ([]byte, error) {
	switch raw[0] {
	case '"':
		return append(dst, `"`+redacted+`"`...), nil
	case '{':
		return append(dst, "{}"...), nil
	case '[':
		return append(dst, "[]"...), nil
	case 't', 'f':
		return append(dst, "false"...), nil
	case 'n':
		return append(dst, raw...), nil
	}
	return append(dst, '0'), nil
}

func (redactChange) inPayload(_ *Worker, dst, _ []byte) ([]byte, error) {
	return append(dst, redacted...), nil
}

// tokenBytes is the length of a token before it is written in hex: 128 bits, so that no two texts share one.
const tokenBytes = 16

// hashChange puts a token in the place of a value: the first half of the HMAC-SHA-256 of its identity. Null has none and stays.
type hashChange struct{}

func (hashChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	if isNull(raw) {
		return append(dst, raw...), nil
	}
	dst = append(dst, '"')
	w.scratch = appendIdentity(w.scratch[:0], raw)
	dst = w.appendToken(dst, w.scratch)
	return append(dst, '"'), nil
}

func (hashChange) inPayload(w *Worker, dst, b []byte) ([]byte, error) {
	return w.appendToken(dst, b), nil
}

func (w *Worker) appendToken(dst, text []byte) []byte {
	if w.mac == nil {
		w.mac = hmac.New(sha256.New, w.pipeline.rules.secret)
	}
	w.mac.Reset()
	w.mac.Write(text)
	w.sum = w.mac.Sum(w.sum[:0])
	return hex.AppendEncode(dst, w.sum[:tokenBytes])
}

// constantChange puts in a constant, also for null.
type constantChange struct{ Constant }

func (c constantChange) inJSON(_ *Worker, dst, _ []byte) ([]byte, error) {
	return append(dst, c.raw...), nil
}

func (c constantChange) inPayload(_ *Worker, dst, _ []byte) ([]byte, error) {
	return append(dst, c.text...), nil
}

// tableChange looks a text up.
type tableChange struct {
	entries map[string]string
	missing Else
}

func (c *tableChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	if isNull(raw) {
		return append(dst, raw...), nil
	}
	to, ok := c.entries[string(w.text(raw))]
	switch {
	case ok && raw[0] != '"' && isNumber(to):
		return append(dst, to...), nil
	case ok:
		return appendQuoted(dst, to), nil
	case c.missing == ElseKeep:
		return append(dst, raw...), nil
	case c.missing == ElseRedact:
		return redactChange{}.inJSON(w, dst, raw)
	}
	return dst, errNotInTable
}

func (c *tableChange) inPayload(_ *Worker, dst, b []byte) ([]byte, error) {
	to, ok := c.entries[string(b)]
	switch {
	case ok:
		return append(dst, to...), nil
	case c.missing == ElseKeep:
		return append(dst, b...), nil
	case c.missing == ElseRedact:
		return append(dst, redacted...), nil
	}
	return dst, errNotInTable
}

func isNumber(s string) bool {
	end, ok := scanNumber([]byte(s), 0)
	return ok && end == len(s)
}
