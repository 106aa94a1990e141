package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
)

// template prints a record as kcat's -f does: literal text and letters in turns.
type template []templatePart

type templatePart struct {
	text   string       // where append is nil
	append templateText // nil: text
}

// templateText appends a part of a record.
type templateText = func(dst []byte, tp format.TopicPartition, r *format.Record) []byte

// templateLetters are what stands behind a % sign.
var templateLetters = []struct {
	letter byte
	means  string
	append templateText
}{
	{'k', "key", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte { return append(dst, r.Key...) }},
	{'s', "value", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte { return append(dst, r.Value...) }},
	{'h', "headers as NAME=VALUE in a comma list", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return appendHeaderList(dst, r.Headers)
	}},
	{'t', "topic", func(dst []byte, tp format.TopicPartition, _ *format.Record) []byte { return append(dst, tp.Topic...) }},
	{'p', "partition", func(dst []byte, tp format.TopicPartition, _ *format.Record) []byte {
		return strconv.AppendInt(dst, int64(tp.Partition), 10)
	}},
	{'o', "offset", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return strconv.AppendInt(dst, r.Offset, 10)
	}},
	{'T', "timestamp in milliseconds", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return strconv.AppendInt(dst, r.TimestampMs, 10)
	}},
	{'K', "length of the key, -1 for null", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return strconv.AppendInt(dst, int64(lengthOf(r.Key)), 10)
	}},
	{'S', "length of the value", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return strconv.AppendInt(dst, int64(lengthOf(r.Value)), 10)
	}},
	{'R', "the same as four bytes", func(dst []byte, _ format.TopicPartition, r *format.Record) []byte {
		return binary.BigEndian.AppendUint32(dst, uint32(lengthOf(r.Value)))
	}},
}

// templateHelp is one of two lines that list the letters.
func templateHelp(line int) string {
	var parts []string
	half := len(templateLetters) / 2
	for _, l := range templateLetters[half*(line-1) : half*line] {
		parts = append(parts, fmt.Sprintf("%%%c %s", l.letter, l.means))
	}
	return strings.Join(parts, ", ")
}

func templateNames() string {
	var names []string
	for _, l := range templateLetters {
		names = append(names, "%"+string(l.letter))
	}
	return strings.Join(append(names, "%%"), ", ")
}

func lengthOf(b []byte) int32 {
	if b == nil {
		return -1
	}
	return int32(len(b))
}

func appendHeaderList(dst []byte, headers []format.Header) []byte {
	for i, h := range headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, h.Key...), '=')
		if h.Value == nil {
			dst = append(dst, "NULL"...) // as kcat has it
		}
		dst = append(dst, h.Value...)
	}
	return dst
}

func (t template) append(dst []byte, tp format.TopicPartition, r *format.Record) []byte {
	for _, p := range t {
		if p.append == nil {
			dst = append(dst, p.text...)
		} else {
			dst = p.append(dst, tp, r)
		}
	}
	return dst
}

func parseTemplate(s string) (*template, error) {
	t := template{}
	for i := 0; i < len(s); {
		part, n, err := parseTemplatePart(s[i:])
		if err != nil {
			return nil, err
		}
		t = append(t, part)
		i += n
	}
	if len(t) == 0 {
		return nil, fmt.Errorf("empty")
	}
	return &t, nil
}

// parseTemplatePart reads what begins s, and says how much of s that is.
func parseTemplatePart(s string) (templatePart, int, error) {
	switch s[0] {
	case '%':
		return parseLetter(s)
	case '\\':
		return parseEscape(s)
	}
	n := strings.IndexAny(s, `%\`)
	if n < 0 {
		n = len(s)
	}
	return templatePart{text: s[:n]}, n, nil
}

func parseLetter(s string) (templatePart, int, error) {
	if strings.HasPrefix(s, "%%") {
		return templatePart{text: "%"}, 2, nil
	}
	for _, l := range templateLetters {
		if len(s) > 1 && s[1] == l.letter {
			return templatePart{append: l.append}, 2, nil
		}
	}
	return templatePart{}, 0, fmt.Errorf("%q is none of %s", s[:min(2, len(s))], templateNames())
}

var templateEscapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '\\': `\`}

func parseEscape(s string) (templatePart, int, error) {
	if len(s) >= 4 && s[1] == 'x' {
		if c, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
			return templatePart{text: string([]byte{byte(c)})}, 4, nil
		}
	}
	if len(s) > 1 && templateEscapes[s[1]] != "" {
		return templatePart{text: templateEscapes[s[1]]}, 2, nil
	}
	return templatePart{}, 0, fmt.Errorf(`%q is none of \n, \r, \t, \xNN and \\`, s[:min(2, len(s))])
}
