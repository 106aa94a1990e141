package format_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/karchive/karchive/format"
)

// groupsWith counts the row groups of an archive that may have a key.
func groupsWith(t *testing.T, a *format.Archive, key []byte) (may, all int) {
	t.Helper()
	walk, reader := a.Walk(orders0, format.Selection{}), a.NewGroupReader(1)
	defer reader.Close()
	for ; ; all++ {
		p, err := walk.Next()
		if err == io.EOF {
			return may, all
		}
		must(t, err)
		if reader.MayHaveKey(&p, func(k []byte) bool { return bytes.Equal(k, key) }) {
			may++
		}
	}
}

func TestOnlyTheRowGroupWithAKeyMayHaveIt(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		s := full(orders0, 0, 200).in(e)
		s.groups = 20
		a := mustOpen(t, memArchive(t, s))
		for _, offset := range []int64{0, 99, 199} {
			r := record(offset)
			want := 1
			if e == format.Arrow { // which is decoded whole or not at all
				want = 20
			}
			if may, all := groupsWith(t, a, r.Key); may != want || all != 20 {
				t.Errorf("%q: %d of %d row groups may have it, want %d", r.Key, may, all, want)
			}
		}
		if may, _ := groupsWith(t, a, []byte("no such key")); (may == 0) != (e == format.Parquet) {
			t.Errorf("%d row groups may have a key that there is none of", may)
		}
	})
}

// Whoever reads the row group then is told of the damage.
func TestADamagedColumnOfKeysMayHaveAnyKey(t *testing.T) {
	s := full(orders0, 0, 200)
	s.groups = 2
	good := memArchive(t, s)
	file, told := good.Files()[s.path()], 0
	for at := 4; at < len(file)/8; at += 7 {
		bad := bytes.Clone(file)
		for i := range 16 {
			bad[at+i] ^= 0xa5
		}
		if may, _ := groupsWith(t, mustOpen(t, changed(good, map[string][]byte{s.path(): bad})), []byte("no such key")); may > 0 {
			told++
		}
	}
	if told == 0 {
		t.Error("no damage of keys was found")
	}
}
