package zstdfast

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// passage is literals and a match behind them: at an offset, or if that is 0 at the last one, without literals at the last but one.
type passage struct{ literals, match, offset int }

// frame makes a frame of random history, in raw blocks, and one block of passages with so many different literals. It says what the frame holds by
// copying byte by byte.
func (e *Encoder) frame(history, letters int, passages []passage) (frame, want []byte) {
	e.reset()
	random := rand.New(rand.NewPCG(1, 2))
	want = make([]byte, history)
	rand.NewChaCha8([32]byte{}).Read(want)
	last, before := 1, 4
	for _, p := range passages {
		for range p.literals {
			c := byte(random.IntN(1 + random.IntN(letters)))
			want, e.literals = append(want, c), append(e.literals, c)
		}
		e.add(p.literals, p.match, p.offset == 0, p.offset)
		switch {
		case p.offset > 0:
			last, before = p.offset, last
		case p.literals == 0:
			last, before = before, last
		}
		for range p.match {
			want = append(want, want[len(want)-last])
		}
	}
	frame = appendHeader(nil, len(want))
	for from := 0; from < history; from += maxBlock {
		block := want[from:min(from+maxBlock, history)]
		frame = append(appendBlockHeader(frame, rawBlock, len(block), false), block...)
	}
	body := e.sequences.append(e.huffman.append(nil, e.literals, true))
	frame = append(appendBlockHeader(frame, compressedBlock, len(body), true), body...)
	return binary.LittleEndian.AppendUint32(frame, uint32(xxhash.Sum64(want))), want
}

// checker fails a test if passages behind some history are not read as they were.
func checker(t *testing.T, letters int) func(history int, passages []passage) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	e := new(Encoder)
	return func(history int, passages []passage) {
		t.Helper()
		frame, want := e.frame(history, letters, passages)
		if got, err := d.DecodeAll(frame, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d passages, the first %+v: got %d bytes of %d, %v", len(passages), passages[0], len(got), len(want), err)
		}
		if l, o, m := e.literalsCoder.log, e.offsetCoder.log, e.matchCoder.log; l > 9 || o > 8 || m > 9 {
			t.Errorf("tables of 2^%d, 2^%d and 2^%d states, want 2^9, 2^8 and 2^9 at most", l, o, m) // not all decoders look
		}
	}
}

// lengths are the least and the most that have a code.
func lengths(extra []uint8, least, most int) (all []int) {
	for _, bits := range extra {
		all = append(all, least, min(least+1<<bits-1, most))
		least += 1 << bits
	}
	return all
}

// Among few other passages codes are as usual or the same for all, among many they are told.
func TestPassagesOfEachLengthAreReadAsTheyWere(t *testing.T) {
	check, others := checker(t, 16), [][]passage{nil, {{1, 5, 0}}, make([]passage, 60)}
	for i := range others[2] {
		others[2][i] = passage{i % 3, 4 + i%7, 8 + i%5}
	}
	for _, others := range others {
		for _, n := range lengths(literalsBits[:36], 0, maxBlock-1000) {
			check(100, append([]passage{{n, 4, 9}}, others...))
		}
		for _, n := range lengths(matchBits[:53], minMatch, maxBlock-1000) {
			check(100, append([]passage{{1, n, 9}}, others...))
		}
	}
}

func TestPassagesFromEachDistanceAreReadAsTheyWere(t *testing.T) {
	check := checker(t, 16)
	for power := 1; power <= 1<<17; power *= 2 {
		var passages []passage
		for offset := max(1, power-5); offset < power+5; offset++ {
			passages = append(passages, passage{offset % 2, 10, offset}, passage{1, 10, 0}, passage{0, 10, 0})
		}
		check(power+5, passages)
		check(power+5, passages[:1])
	}
	check(window, []passage{{40_000, 70_000, window}, {1, 10, 9}}) // the most bits that a sequence has
}

// The bits of one passage are written with those of states before it, if all are 63 at most.
func TestPassagesOfAnyNumberOfBitsAreReadAsTheyWere(t *testing.T) {
	check := checker(t, 16)
	for bits := range 16 {
		check(1<<18, []passage{{1 << bits, 70_000, 1 << 18}, {1, 10, 9}})
	}
	random, passages := rand.New(rand.NewPCG(1, 2)), make([]passage, 500)
	for i := range passages {
		passages[i] = passage{random.IntN(150), 3 + random.IntN(100), 1 + random.IntN(1<<18)}
	}
	check(1<<18, passages)
}

func TestAnyNumberOfLiteralsIsReadAsItWas(t *testing.T) {
	for _, letters := range []int{1, 2, 40, 256} {
		check := checker(t, letters)
		for power := 1; power <= 1<<16; power *= 2 {
			for n := power - 1; n <= power+1; n++ {
				check(100, []passage{{n, 4, 9}})
			}
		}
	}
}

func TestAnyNumberOfPassagesIsReadAsItWas(t *testing.T) {
	check := checker(t, 16)
	for _, n := range []int{1, 2, fewSequences - 1, fewSequences, fewSequences + 1, 127, 128, 129, 255, 256, 0x7EFF, 0x7F00, 0x7F01, maxBlock / 4} {
		same, mixed := make([]passage, n), make([]passage, n)
		for i := range mixed {
			same[i].match, mixed[i].match = 4, 4
			mixed[i].offset = []int{0, 0, 100, 5, 3, 2000}[i*i%77%6]
		}
		check(3000, same)
		check(3000, mixed)
	}
}

// Each code has one state at least: what rare ones have more than their share is taken from those that have most.
func TestManyRareCodesAmongFewFrequentOnesAreReadAsTheyWere(t *testing.T) {
	check := checker(t, 16)
	for frequent := 1; frequent < 30; frequent++ {
		var passages []passage
		for i := range 1500 {
			passages = append(passages, passage{i % frequent, 4 + i%frequent, 1 << (i % min(frequent, 12))})
		}
		for i := range 50 {
			passages = append(passages, passage{i, 4 + i, 1 << (i % 13)})
		}
		check(1<<13, passages)
	}
}
