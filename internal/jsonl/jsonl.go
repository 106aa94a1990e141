// Package jsonl spells records as JSON, one a line, so that nothing is lost and nothing is ambiguous:
//
//	{"topic":"t","partition":0,"offset":7,"timestamp_ms":1700000000000,"timestamp_type":"create","leader_epoch":0,
//	 "key":"k","value":null,"headers":[{"key":"h","value":{"base64":"/w=="}}]}
//
// A key, a value, a header key and a header value is a string where its bytes are valid UTF-8, an object with its bytes in base64
// where not, and null where it is null. Numbers are exact 64-bit integers. A timestamp type is "create", "log_append" or "none".
//
// The functions are safe for concurrent use on different buffers.
package jsonl

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
)

// Append appends r and a line feed to dst and returns the extended slice.
func Append(dst []byte, tp format.TopicPartition, r *format.Record) []byte {
	dst = append(dst, `{"topic":`...)
	dst = appendString(dst, tp.Topic)
	dst = append(dst, `,"partition":`...)
	dst = strconv.AppendInt(dst, int64(tp.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, r.Offset, 10)
	dst = append(dst, `,"timestamp_ms":`...)
	dst = strconv.AppendInt(dst, r.TimestampMs, 10)
	dst = append(dst, `,"timestamp_type":"`...)
	dst = append(dst, timestampType(r.TimestampType)...)
	dst = append(dst, `","leader_epoch":`...)
	dst = strconv.AppendInt(dst, int64(r.LeaderEpoch), 10)
	dst = append(dst, `,"key":`...)
	dst = AppendPayload(dst, r.Key)
	dst = append(dst, `,"value":`...)
	dst = AppendPayload(dst, r.Value)
	dst = append(dst, `,"headers":`...)
	dst = appendHeaders(dst, r.Headers)
	return append(dst, '}', '\n')
}

func timestampType(t format.TimestampType) string {
	switch t {
	case format.TimestampCreate:
		return "create"
	case format.TimestampLogAppend:
		return "log_append"
	}
	return "none"
}

func appendHeaders(dst []byte, headers []format.Header) []byte {
	dst = append(dst, '[')
	for i := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"key":`...)
		dst = appendText(dst, headers[i].Key)
		dst = append(dst, `,"value":`...)
		dst = AppendPayload(dst, headers[i].Value)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// AppendPayload appends a key, a value or a header value: a string, an object with its base64, or null.
func AppendPayload(dst, b []byte) []byte {
	if b == nil {
		return append(dst, "null"...)
	}
	if !utf8.Valid(b) {
		return appendBase64(dst, b)
	}
	return appendString(dst, b)
}

func appendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return appendBase64(dst, []byte(s))
	}
	return appendString(dst, s)
}

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, `{"base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"', '}')
}

// escaped marks the bytes that JSON does not take as they are, or that begin a character which may have to be escaped.
var escaped = func() (t [256]bool) {
	for c := range t {
		t[c] = printable.MayHide(byte(c))
	}
	t['"'], t['\\'] = true, true
	return t
}()

// appendString appends valid UTF-8 as a JSON string, copying what needs no escape in runs.
func appendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if !escaped[s[i]] {
			continue
		}
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if !printable.Hidden(r) {
				i += size - 1
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, r)
		i += size - 1
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return printable.AppendJSONEscape(dst, r)
}
