package compare

import (
	"io"
	"strings"
	"sync"
)

// output is what a program prints: the beginning goes to a file, the end is kept. Writing never fails, so that a full disk does not end a program.
type output struct {
	mu   sync.Mutex
	file io.Writer
	room int64 // that is left in the file
	end  []byte
}

const (
	mostLogged = 64 << 20
	mostKept   = 16 << 10
)

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if part := b[:min(int64(len(b)), o.room)]; len(part) > 0 {
		o.file.Write(part)
		o.room -= int64(len(part))
	}
	o.end = append(o.end, b[max(len(b)-mostKept, 0):]...)
	if len(o.end) > 2*mostKept {
		o.end = append(o.end[:0], o.end[len(o.end)-mostKept:]...)
	}
	return len(b), nil
}

// tail is the end of what was printed, from the beginning of a line.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.end) <= mostKept {
		return string(o.end)
	}
	_, rest, found := strings.Cut(string(o.end[len(o.end)-mostKept:]), "\n")
	if !found {
		return string(o.end[len(o.end)-mostKept:])
	}
	return rest
}
