package extsort

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

func sorted(t *testing.T, s *Sorter) (keys, data []string) {
	t.Helper()
	m, err := s.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	for {
		e, err := m.Next()
		if err == io.EOF {
			return keys, data
		}
		if err != nil {
			t.Fatal(err)
		}
		keys, data = append(keys, string(e.Key)), append(data, string(e.Data))
	}
}

func TestEntriesComeInOrderWhateverTheMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var want []Entry
	for i := range 400 {
		want = append(want, Entry{fmt.Appendf(nil, "%d", random.IntN(60)), fmt.Appendf(nil, "%d %s", i, bytes.Repeat([]byte("x"), random.IntN(50)))})
	}
	for _, limit := range []int64{0, 1, 5_000, 1 << 20} {
		s := New(t.TempDir(), limit)
		for _, e := range want {
			if err := s.Add(e.Key, e.Data); err != nil {
				t.Fatal(err)
			}
		}
		keys, data := sorted(t, s)
		ordered := slices.SortedStableFunc(slices.Values(want), func(a, b Entry) int { return bytes.Compare(a.Key, b.Key) })
		for i, e := range ordered {
			if i >= len(keys) || keys[i] != string(e.Key) || data[i] != string(e.Data) {
				t.Fatalf("memory %d: entry %d of %d is not %q %q", limit, i, len(keys), e.Key, e.Data)
			}
		}
		if len(keys) != len(want) {
			t.Errorf("memory %d: got %d entries, want %d", limit, len(keys), len(want))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingSortedIsNothing(t *testing.T) {
	if keys, _ := sorted(t, New(t.TempDir(), 10)); keys != nil {
		t.Errorf("got %q", keys)
	}
}

func TestTheTemporaryFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := New(dir, 1)
	for range 10 {
		if err := s.Add([]byte("k"), []byte("v")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestEveryChangedByteOfTheTemporaryFileIsFound(t *testing.T) {
	for at := int64(0); ; at++ {
		s := New(t.TempDir(), 1)
		for i := range 3 {
			if err := s.Add(fmt.Appendf(nil, "key %d", i), fmt.Appendf(nil, "value %d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.spill(); err != nil {
			t.Fatal(err)
		}
		if at == s.end {
			s.Close()
			return
		}
		b := make([]byte, 1)
		if _, err := s.file.ReadAt(b, at); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 0x40
		if _, err := s.file.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
		if err := drain(s); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: got %v, want %v", at, err, ErrDamaged)
		}
		s.Close()
	}
}

func drain(s *Sorter) error {
	m, err := s.Sorted()
	for err == nil {
		_, err = m.Next()
	}
	return err
}
