package canonical

import (
	"bytes"
	"testing"

	"github.com/karchive/karchive/format"
)

func TestCanonicalBytesAreReadBack(t *testing.T) {
	for _, want := range []format.Record{
		{},
		{Offset: 1 << 60, TimestampMs: -1, TimestampType: format.TimestampNone, LeaderEpoch: -1, Key: []byte{}, Value: []byte("v")},
		{Offset: 7, Headers: []format.Header{{Key: "a"}, {Key: "", Value: []byte{}}, {Key: "a", Value: []byte("x")}}},
	} {
		b := format.AppendCanonical(nil, &want)
		got, err := Decode(b)
		if err != nil || !bytes.Equal(format.AppendCanonical(nil, &got), b) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for n := range b {
			if _, err := Decode(b[:n]); err == nil {
				t.Errorf("%d of %d bytes are taken", n, len(b))
			}
		}
		if _, err := Decode(append(b, 0)); err == nil {
			t.Error("a byte too much is taken")
		}
		if _, rest, err := Next(append(b, 1, 2)); err != nil || !bytes.Equal(rest, []byte{1, 2}) {
			t.Errorf("got the rest %v, %v", rest, err)
		}
	}
}
