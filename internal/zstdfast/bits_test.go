package zstdfast

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBitsStandAsTheyWereAdded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		buf, w := make([]byte, 2000), bitWriter{}
		want, at := new(big.Int), uint(0)
		for range 300 {
			n, v := uint(random.IntN(32)), random.Uint32()
			if w.n+n > 63 || random.IntN(2) == 0 {
				w = w.flush(buf)
			}
			w = w.add(v, n)
			want.Or(want, new(big.Int).Lsh(big.NewInt(int64(v)&(1<<n-1)), at))
			at += n
		}
		got := slices.Clone(w.flush(buf).end(buf))
		slices.Reverse(got)
		if n := int(at+7) / 8; len(got) != n || new(big.Int).SetBytes(got).Cmp(want) != 0 {
			t.Fatalf("%d bits: got %x, want %x", at, got, want)
		}
	}
}

// A sequence may have more extra bits than fit beside those of the states.
func TestTheLongestSequencesFitIntoTheWriter(t *testing.T) {
	for bits := range 8 {
		s := &sequence{literals: 1<<17 - 1, match: 1<<17 - 1, offset: 1<<23 - 1, literalsCode: 35, matchCode: 52, offsetCode: 22}
		if _, n := extra(s); uint(bits)+n > 63 {
			t.Errorf("%d bits behind %d are more than 63", n, bits)
		}
	}
}

func TestSharesOfAllDistributionsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var often counts
		codes, n := 2+random.IntN(maxCode-10), 0
		skew := random.IntN(14)
		for i := range often[:codes] {
			often[i] = uint32(random.IntN(1 << random.IntN(skew+1)))
			n += int(often[i])
		}
		often[codes-1]++
		most := 0
		for i, k := range often {
			if k > often[most] {
				most = i
			}
		}
		var c coder
		u := &usual{maxLog: 9}
		if n+1 < fewSequences || int(often[most]) == n+1 {
			continue
		}
		c.choose(nil, &often, n+1, u)
		sum := 0
		for i, share := range c.shares[:codes] {
			if sum += int(share); (share > 0) != (often[i] > 0) {
				t.Fatalf("%v: code %d has %d states", often, i, share)
			}
		}
		if sum != 1<<c.log {
			t.Fatalf("%v: %d states are shared, want %d", often, sum, 1<<c.log)
		}
	}
}
