package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/turn"
)

// How long one answer may take: what a store needs to begin, and what the slowest line that is worth waiting for needs for so many bytes.
const (
	answerLimit = time.Minute
	bytesPerSec = 128 << 10
)

func limitFor(bytes int64) time.Duration {
	return answerLimit + time.Duration(bytes/bytesPerSec)*time.Second
}

// dataPrefix is what the names of objects begin with that never change. All others are read as a whole, so that what is read of them is of one time.
const dataPrefix = "data/"

// maxWhole bounds an object that is read as a whole: the largest that an archive may have is SHA256SUMS.
const maxWhole = 256 << 20

// Open implements storage.ReadFS. Of a segment nothing is asked until it is read.
func (s *Store) Open(name string) (storage.ReadFile, error) {
	key, err := s.key("open", name)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, dataPrefix) {
		return s.openWhole(name, key)
	}
	size, known := s.size(name)
	if !known {
		info, err := s.Stat(name)
		if err == nil && info.IsDir() {
			err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
		}
		if err != nil {
			return nil, err
		}
		size = info.Size()
	}
	return &file{store: s, name: name, key: key, size: size}, nil
}

func (s *Store) openWhole(name, key string) (storage.ReadFile, error) {
	f := &file{store: s, name: name, key: key}
	err := s.again("open", name, limitFor(maxWhole), &s.counters.get, func(ctx context.Context) error {
		r, err := s.bucket.NewReader(ctx, key, nil)
		if err != nil {
			return err
		}
		defer r.Close()
		if r.Size() > maxWhole {
			f.size = r.Size() // whoever reads it has a limit of his own, and is told
			return nil
		}
		f.tail, err = s.receive(r, r.Size())
		f.size = r.Size()
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// receive reads n bytes of an answer and counts them.
func (s *Store) receive(r io.Reader, n int64) ([]byte, error) {
	b := make([]byte, n)
	got, err := io.ReadFull(r, b)
	s.counters.received.Add(int64(got))
	if err == io.EOF { // of an answer that ended early, which is no end of the object
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// get reads [at, at+n) of an object.
func (s *Store) get(name, key string, at, n int64) (b []byte, err error) {
	if n == 0 {
		return nil, nil
	}
	err = s.again("read", name, limitFor(n), &s.counters.get, func(ctx context.Context) error {
		var r *blob.Reader
		if r, err = s.bucket.NewRangeReader(ctx, key, at, n, nil); err != nil {
			return err
		}
		defer r.Close()
		b, err = s.receive(r, n)
		return err
	})
	return b, err
}

// file is an object that is open for reading. Its end, where a segment describes itself, is read with one request and kept; the rest is read by
// windows, which grow while they follow each other.
type file struct {
	store     *Store
	name, key string
	size      int64

	mu     turn.Lock // guards what follows, and has one request at a time
	closed bool
	tail   []byte
	window window
}

// maxTail is how much of the end of an object is read at once: room for the footers of a segment of some hundred row groups.
const maxTail = 64 << 10

// Size implements storage.ReadFile.
func (f *file) Size() (int64, error) { return f.size, nil }

// ReadAt implements storage.ReadFile.
func (f *file) ReadAt(b []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrClosed}
	case at < 0:
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	read := 0
	for read < len(b) && at < f.size {
		part, err := f.at(at, int64(len(b)-read))
		if err != nil {
			return read, err
		}
		n := copy(b[read:], part)
		read, at = read+n, at+int64(n)
	}
	if read < len(b) {
		return read, io.EOF
	}
	return read, nil
}

// at gives bytes from offset at of the object on, at least one. Want is how many are asked for.
func (f *file) at(at, want int64) ([]byte, error) {
	if begin := f.size - int64(len(f.tail)); at >= begin {
		return f.tail[at-begin:], nil
	}
	if f.tail == nil && at >= f.size-maxTail && at+want == f.size {
		n := min(f.size, maxTail)
		tail, err := f.store.get(f.name, f.key, f.size-n, n)
		if err != nil {
			return nil, err
		}
		f.tail = tail
		return f.at(at, want)
	}
	if b := f.store.windows.use(&f.window, at); b != nil {
		return b, nil
	}
	n := f.window.next(at, want, f.size-int64(len(f.tail)))
	b, err := f.store.get(f.name, f.key, at, n)
	if err == nil {
		f.store.windows.put(&f.window, at, b)
	}
	return b, err
}

// Close implements storage.ReadFile.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	f.closed, f.tail = true, nil
	f.store.windows.drop(&f.window)
	return nil
}
