//go:build linux

package zstdfast_test

import (
	"bytes"
	"math/rand/v2"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/karchive/karchive/internal/zstdfast"
)

// fenced is memory between two pages of which no byte can be read.
func fenced(t *testing.T, size int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	all, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(all) })
	for _, fence := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return all[page : page+size : page+size]
}

// Words are read without looking where a source ends.
func TestNoByteIsReadBesideASource(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	d, used, random, room := newDecoder(t), new(zstdfast.Encoder), rand.New(rand.NewPCG(1, 2)), fenced(t, 320<<10)
	try := func(src []byte) {
		for _, place := range [][]byte{room[:len(src):len(src)], room[len(room)-len(src):]} {
			copy(place, src)
			frame := used.Append(nil, place)
			if got, err := d.DecodeAll(frame, nil); err != nil || !bytes.Equal(got, src) {
				t.Fatalf("%d bytes %.100q: got %d, %v", len(src), src, len(got), err)
			}
		}
	}
	for n := range 90 {
		for range 20 {
			try(pieces(random, n))
		}
	}
	for _, n := range []int{128<<10 - 1, 128 << 10, 128<<10 + 17, 128<<10 + 40, 300_000} {
		try(pieces(random, n))
	}
}

// pieces are n bytes of short matches and few literals, so that there is one at any place.
func pieces(random *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+20)
	for len(b) < n {
		b = append(b, randomBytes(random, random.IntN(4))...)
		if len(b) > 0 {
			back := 1 + random.IntN(min(len(b), 1+random.IntN(40)))
			for range random.IntN(16) {
				b = append(b, b[len(b)-back])
			}
		}
	}
	return b[:n]
}
