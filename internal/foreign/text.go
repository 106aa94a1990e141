package foreign

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is a way to write text that its byte order mark tells.
type encoding struct {
	name  string
	mark  string
	width int // bytes of a unit
	order binary.ByteOrder
}

// encodings has those first whose mark begins with that of another.
var encodings = []encoding{
	{"UTF-32", "\xff\xfe\x00\x00", 4, binary.LittleEndian},
	{"UTF-32", "\x00\x00\xfe\xff", 4, binary.BigEndian},
	{"UTF-16", "\xff\xfe", 2, binary.LittleEndian},
	{"UTF-16", "\xfe\xff", 2, binary.BigEndian},
}

const utf8Mark = "\xef\xbb\xbf"

// Text returns what is in the file as text in UTF-8 without its byte order mark. What is no text is an *UnsupportedError. Text that is not
// UTF-8 and has no mark stays as it is.
func (r *Reader) Text() (io.Reader, error) {
	begin, err := r.peek()
	if err != nil {
		return nil, err
	}
	for i := range encodings {
		if e := &encodings[i]; bytes.HasPrefix(begin, []byte(e.mark)) {
			r.skip(len(e.mark))
			return &decoder{encoding: e, in: r, at: int64(len(e.mark))}, nil
		}
	}
	if bytes.HasPrefix(begin, []byte(utf8Mark)) {
		r.skip(len(utf8Mark))
		return r, nil
	}
	return r, notText(begin)
}

// skip passes over a mark, which is part of what was read: a file with nothing else is not empty.
func (r *Reader) skip(n int) {
	r.in.Discard(n)
	r.read += int64(n)
}

// notText refuses what is known to be no text, and what has the zeros of UTF-16 and UTF-32 without their mark.
func notText(begin []byte) error {
	if f := findFormat(begin, binaryFormat); f != nil {
		return &UnsupportedError{f.refusal()}
	}
	zeros := [2]int{}
	for i, c := range begin {
		if c == 0 {
			zeros[i%2]++
		}
	}
	oneSided := (zeros[0] == 0) != (zeros[1] == 0)
	switch all := zeros[0] + zeros[1]; {
	case oneSided && (all*3 > len(begin) || !utf8.Valid(begin)):
		return &UnsupportedError{"it looks like UTF-16 without a byte order mark: convert it to UTF-8 first"}
	case all*3 > len(begin)*2:
		return &UnsupportedError{"it looks like UTF-32 without a byte order mark: convert it to UTF-8 first"}
	}
	return nil
}

// decoder makes UTF-8 of UTF-16 or UTF-32.
type decoder struct {
	*encoding
	in   io.Reader
	at   int64 // bytes that were decoded
	raw  []byte
	left []byte // of raw
	out  []byte // to be read
	err  error  // when out is read
}

// decodeBytes is how much is decoded at once.
const decodeBytes = 64 << 10

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill decodes some more.
func (d *decoder) fill() {
	if d.raw == nil {
		d.raw = make([]byte, decodeBytes)
	}
	kept := copy(d.raw, d.left)
	n, err := d.in.Read(d.raw[kept:])
	d.left, d.out, d.err = d.raw[:kept+n], d.out[:0], err
	for {
		r, size := d.next(err == io.EOF)
		if size == 0 {
			break
		}
		if r < 0 {
			d.err = &DamagedError{d.name + " text", fmt.Errorf("%w at byte %d", errNotUnicode, d.at)}
			return
		}
		d.out = utf8.AppendRune(d.out, r)
		d.left, d.at = d.left[size:], d.at+int64(size)
	}
}

var errNotUnicode = errors.New("no character")

// next is the next character and its bytes; -1 for what is none, and 0 bytes when more must be read.
func (d *decoder) next(last bool) (rune, int) {
	if len(d.left) < d.width {
		if last && len(d.left) > 0 {
			return -1, 1
		}
		return 0, 0
	}
	if d.width == 4 {
		if r := rune(d.order.Uint32(d.left)); utf8.ValidRune(r) {
			return r, 4
		}
		return -1, 4
	}
	r := rune(d.order.Uint16(d.left))
	if !utf16.IsSurrogate(r) {
		return r, 2
	}
	if len(d.left) < 4 {
		if last {
			return -1, 2
		}
		return 0, 0
	}
	if r = utf16.DecodeRune(r, rune(d.order.Uint16(d.left[2:]))); r == utf8.RuneError {
		return -1, 2
	}
	return r, 4
}
