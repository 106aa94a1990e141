package foreign

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// DefaultMaxRatio is the default of Options.MaxRatio: what people keep compressed, very even logs included, stays far below.
const DefaultMaxRatio = 1000

// freeBytes may come out of a compressed file whatever its size: a small file of even text is no attack.
const freeBytes = 1 << 30

// maxLayers bounds compression within compression.
const maxLayers = 3

// peekBytes is how much of a file is looked at. A tar's name stands behind 257 bytes.
const peekBytes = 512

// Options bound what a file may take. The zero value is the defaults.
type Options struct {
	// MaxRatio is how many times its compressed bytes may come out of a file beyond the first GiB; 0: DefaultMaxRatio.
	MaxRatio int64
}

// Reader reads what is in a file, decompressed.
type Reader struct {
	in     *bufio.Reader // what is in the innermost layer
	source *counter      // the file itself
	layers []*layer
	read   int64
	limit  int64 // ratio
}

// layer is a decompressor at work.
type layer struct {
	io.Reader
	name  string
	close func()
}

// Read implements io.Reader. An error of the compressed data becomes a *DamagedError.
func (l *layer) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	return n, l.explain(err)
}

func (l *layer) explain(err error) error {
	if err == nil || err == io.EOF || isOurs(err) {
		return err
	}
	if e := windowError(err); e != nil {
		return e
	}
	return &DamagedError{l.name + " data", err}
}

// isOurs says whether an error is one of this package already.
func isOurs(err error) bool {
	var (
		unsupported *UnsupportedError
		limit       *LimitError
		damaged     *DamagedError
		source      *sourceError
	)
	return errors.As(err, &unsupported) || errors.As(err, &limit) || errors.As(err, &damaged) || errors.As(err, &source)
}

// sourceError is an error of the file itself, which the decompressors above pass on.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// counter counts what is read of a file.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		err = &sourceError{err}
	}
	return n, err
}

// Open looks at the first bytes of a file and returns what is in it, decompressed. What is compressed in a way that is not known, or an
// archive of several files, is an *UnsupportedError.
func Open(r io.Reader, o Options) (*Reader, error) {
	if o.MaxRatio <= 0 {
		o.MaxRatio = DefaultMaxRatio
	}
	out := &Reader{source: &counter{Reader: r}, limit: o.MaxRatio}
	out.in = bufio.NewReaderSize(out.source, 1<<16)
	for {
		begin, err := out.peek()
		if err != nil {
			out.Close()
			return nil, err
		}
		name, unpack := findCodec(begin)
		if name == "" {
			err = refuse(begin)
		} else {
			err = out.unpack(name, unpack)
		}
		if err != nil {
			out.Close()
			return nil, err
		}
		if name == "" {
			return out, nil
		}
	}
}

// isLine says whether b is text with the end of a line in it: what is packed or binary does not begin so.
func isLine(b []byte) bool {
	control := func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }
	return bytes.IndexByte(b, '\n') >= 0 && utf8.Valid(b) && bytes.IndexFunc(b, control) < 0
}

// peek is the first bytes of what is in the file.
func (r *Reader) peek() ([]byte, error) {
	begin := Begin(r.in, peekBytes, isLine)
	if len(begin) > 0 {
		return begin, nil // an error comes again
	}
	_, err := r.in.Peek(1)
	if err == io.EOF {
		err = nil
	}
	return begin, plain(err)
}

// plain takes the mark of the file's own errors off.
func plain(err error) error {
	if e, ok := errors.AsType[*sourceError](err); ok {
		return e.error
	}
	return err
}

func refuse(begin []byte) error {
	if f := findFormat(begin, packedFormat); f != nil {
		return &UnsupportedError{f.refusal()}
	}
	return nil
}

func (r *Reader) unpack(name string, open func(io.Reader) (io.Reader, func(), error)) error {
	if len(r.layers) == maxLayers {
		return &LimitError{fmt.Sprintf("it is compressed more than %d times", maxLayers), FixedLimit}
	}
	l := &layer{name: name}
	var err error
	if l.Reader, l.close, err = open(r.in); err != nil {
		return plain(l.explain(err))
	}
	r.layers = append(r.layers, l)
	r.in = bufio.NewReaderSize(l, 1<<16)
	return nil
}

// Read implements io.Reader. More than the limit allows is a *LimitError.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.read += int64(n)
	if len(r.layers) > 0 && r.read > freeBytes && r.read/r.limit > r.source.n {
		return n, &LimitError{fmt.Sprintf("it unpacks to more than %d times its size", r.limit), UnpackLimit}
	}
	return n, plain(err)
}

// Packed says whether the file is compressed.
func (r *Reader) Packed() bool { return len(r.layers) > 0 }

// Begins says whether what is in the file begins with magic.
func (r *Reader) Begins(magic string) bool {
	begin, _ := r.in.Peek(len(magic))
	return bytes.Equal(begin, []byte(magic))
}

// Empty says whether nothing is in the file.
func (r *Reader) Empty() bool {
	_, err := r.in.Peek(1)
	return err == io.EOF && r.read == 0
}

// Close frees what the decompressors hold. It does not close the file.
func (r *Reader) Close() {
	for _, l := range r.layers {
		l.close()
	}
	r.layers = nil
}
