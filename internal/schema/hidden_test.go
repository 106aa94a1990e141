package schema

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

const secretText = "S3CRET"

// oddMessage makes a message of the fields of everyProto, of fields that it does not have, and of wrong ones, with a secret here and there.
func oddMessage(r *rand.Rand, depth int) (b []byte) {
	numbers := []protowire.Number{1, 2, 13, 14, 14, 15, 18, 19, 20, 21, 22, 23, 25, 26, 40}
	if depth > 0 {
		numbers = append(numbers, 1, 1, 2, 2, 3) // of entries of maps
	}
	for range r.IntN(4) {
		n := numbers[r.IntN(len(numbers))]
		switch r.IntN(8) {
		case 0:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(r.IntN(3))<<(32*r.IntN(2)))
		case 1:
			b = protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), 1)
		case 2, 3, 4:
			b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), secretText)
		case 5:
			b = append(protowire.AppendTag(b, n, protowire.StartGroupType), oddMessage(r, 3)...)
			b = protowire.AppendTag(b, n, protowire.EndGroupType)
		default:
			var inner []byte
			if depth < 3 {
				inner = oddMessage(r, depth+1)
			}
			b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), inner)
		}
	}
	return b
}

// secretsIn counts secrets in a document, also those in base64.
func secretsIn(n *node) (count int) {
	if n.kind == '"' {
		count = bytes.Count([]byte(n.text), []byte(secretText))
		if b, err := base64.StdEncoding.DecodeString(n.text); err == nil {
			count += bytes.Count(b, []byte(secretText))
		}
	}
	for i := range n.children {
		count += bytes.Count([]byte(n.children[i].name), []byte(secretText)) + secretsIn(&n.children[i].node)
	}
	return count
}

// A mask changes what a document shows, so that has to be all.
func TestADocumentShowsAllThatIsInAMessage(t *testing.T) {
	c := messageOf(t, everyProto)
	r := rand.New(rand.NewPCG(1, 2))
	read := 0
	for range 50_000 {
		body := oddMessage(r, 0)
		doc, err := c.appendJSON(nil, body)
		if err != nil {
			continue
		}
		n, err := parseJSON(doc)
		if err != nil {
			t.Fatalf("%x: got %s, which is no JSON", body, doc)
		}
		want := bytes.Count(body, []byte(secretText))
		if got := secretsIn(n); got != want {
			t.Fatalf("%x: got %d secrets in %s; want %d", body, got, doc, want)
		}
		if want > 0 {
			read++
		}
		back, err := c.appendChanged(nil, body, doc)
		if got, twice := decoded(t, c, back), string(doc); err != nil || got != twice {
			t.Fatalf("%x: got %s, %v; want %s", body, got, err, twice)
		}
	}
	if read < 1000 {
		t.Errorf("got %d messages with a secret that can be read; want thousands", read)
	}
}
