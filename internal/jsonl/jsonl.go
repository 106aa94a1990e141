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
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
)

// Append appends r and a line feed to dst and returns the extended slice.
func Append(dst []byte, tp format.TopicPartition, r *format.Record) []byte {
	return appendRecord(dst, tp, r, AppendPayload)
}

// AppendRead is Append with JSON documents in the places of the key and of the value, of which nil is none. Like AppendOpen it is for looking at.
func AppendRead(dst []byte, tp format.TopicPartition, r *format.Record, key, value []byte) []byte {
	documents := [][]byte{key, value} // in the order of the payloads
	return appendRecord(dst, tp, r, func(dst, b []byte) []byte {
		document := documents[0]
		documents = documents[1:]
		if document == nil {
			return AppendPayload(dst, b)
		}
		return appendDocument(dst, document)
	})
}

// AppendOpen is Append with a key and a value that are JSON objects or arrays as what they are, without their spaces, and not as text. It
// is for looking at: Parse does not read it.
func AppendOpen(dst []byte, tp format.TopicPartition, r *format.Record) []byte {
	return appendRecord(dst, tp, r, appendOpenPayload)
}

func appendOpenPayload(dst, b []byte) []byte {
	start := bytes.TrimLeft(b, " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' || !utf8.Valid(b) {
		return AppendPayload(dst, b)
	}
	return appendDocument(dst, b)
}

// appendDocument appends JSON without its spaces, and what only looks like it as text.
func appendDocument(dst, b []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, b) != nil {
		return AppendPayload(dst, b)
	}
	return printable.AppendJSON(dst, compact.Bytes())
}

func appendRecord(dst []byte, tp format.TopicPartition, r *format.Record, payload func(dst, b []byte) []byte) []byte {
	dst = append(dst, `{"topic":`...)
	dst = appendString(dst, bytesOf(tp.Topic))
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
	dst = payload(dst, r.Key)
	dst = append(dst, `,"value":`...)
	dst = payload(dst, r.Value)
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
	return appendString(dst, bytesOf(s))
}

// bytesOf are the bytes of s, which nobody may change.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func appendBase64(dst, b []byte) []byte {
	dst = append(dst, `{"base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"', '}')
}

// escaped marks the bytes that JSON does not take as they are, those of short excepted, or that begin a character which may be hidden.
var escaped = func() (t [256]bool) {
	for c := range t {
		t[c] = printable.MayHide(byte(c))
	}
	return t
}()

// appendString appends valid UTF-8 as a JSON string.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		var n int
		if dst, n = appendASCII(dst, s); n < len(s) {
			s = s[n:]
			dst, n = appendOther(dst, s)
		}
		s = s[n:]
	}
	return append(dst, '"')
}

// appendASCII appends what begins s and is ASCII that needs no escape or one of two characters. It says how many bytes of s that are. It
// copies eight bytes at once, also beyond what it then counts: in JSON inside a string there is a quote every few bytes.
func appendASCII(dst, s []byte) ([]byte, int) {
	dst = slices.Grow(dst, 2*len(s)+8)
	to, at, i := dst[:cap(dst)], len(dst), 0
	for i+8 <= len(s) {
		word := binary.LittleEndian.Uint64(s[i:])
		end := i + 8
		for stops := notPlain(word); stops != 0; {
			n := bits.TrailingZeros64(stops) / 8
			binary.LittleEndian.PutUint64(to[at:], word)
			word >>= 8 * n
			at, i = at+n, i+n
			short := short[byte(word)]
			if short == 0 {
				return to[:at], i
			}
			to[at], to[at+1] = '\\', short
			at, i = at+2, i+1
			word >>= 8
			stops >>= 8 * (n + 1)
		}
		binary.LittleEndian.PutUint64(to[at:], word)
		at, i = at+end-i, end
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case short[c] != 0:
			to[at], to[at+1] = '\\', short[c]
			at++
		case c >= utf8.RuneSelf || escaped[c]:
			return to[:at], i
		default:
			to[at] = c
		}
		at++
	}
	return to[:at], i
}

// short are the escapes of two characters, by what they stand for; 0: none.
var short = [256]byte{'"': '"', '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't'}

// Bytes of a word that are all the same.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// notPlain marks the bytes of a word that are a control, a quote, a backslash or not ASCII by their highest bits. No sum of two bytes reaches into
// the next one.
func notPlain(word uint64) uint64 {
	low := word &^ highs
	plain := (low + (0x80-' ')*ones) & ((low ^ '"'*ones) + 0x7f*ones) & ((low ^ '\\'*ones) + 0x7f*ones)
	return (word | low + ones | ^plain) & highs // low + ones: 0x7f
}

// appendOther appends what begins s: a character that has an escape of six, or those beyond ASCII that have none. It says how many bytes of
// s that are.
func appendOther(dst, s []byte) ([]byte, int) {
	n := 0
	for n < len(s) && s[n] >= utf8.RuneSelf && !escaped[s[n]] {
		n++
	}
	if n > 0 {
		return append(dst, s[:n]...), n
	}
	r, size := utf8.DecodeRune(s)
	if r >= utf8.RuneSelf && !printable.Hidden(r) {
		return append(dst, s[:size]...), size
	}
	return printable.AppendJSONEscape(dst, r), size
}
