package foreign

import (
	"bytes"
	"io"
	"testing"
)

func TestALineOfAPipeIsReadBeforeTheNextComes(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	go w.Write([]byte("a\n"))
	f, err := Open(r, Options{}) // would wait for ever if it looked for more
	if err != nil {
		t.Fatal(err)
	}
	in, err := f.Text()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if _, err := io.ReadFull(in, b); err != nil || string(b) != "a\n" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestWhatComesByteByByteIsKnownAllTheSame(t *testing.T) {
	for _, begin := range []string{"\x1f\x8b", "\xff\xfea\x00\n\x00", "PK\x03\x04"} {
		_, atOnce := Open(bytes.NewReader([]byte(begin)), Options{})
		_, slowly := Open(oneByte{bytes.NewReader([]byte(begin))}, Options{})
		if (atOnce == nil) != (slowly == nil) || atOnce != nil && atOnce.Error() != slowly.Error() {
			t.Errorf("%q: got %v, want %v", begin, slowly, atOnce)
		}
	}
}

type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }
