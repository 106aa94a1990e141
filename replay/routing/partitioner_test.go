package routing_test

import (
	"strings"
	"testing"

	"github.com/karchive/karchive/replay/routing"
)

func TestParsePartitionerReadsWhatStringSpells(t *testing.T) {
	for _, text := range []string{"keep", "key", "round-robin", "0=3,1=0", "7=7"} {
		p, err := routing.ParsePartitioner(text)
		if err != nil || p.String() != text {
			t.Errorf("ParsePartitioner(%q) = %s, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "Keep", "0", "0=", "=1", "0=1,", "a=b", "0=-1", "-1=0", "0=1,0=2", "0=4294967296"} {
		if p, err := routing.ParsePartitioner(text); err == nil || !strings.Contains(err.Error(), "not a partitioner") {
			t.Errorf("ParsePartitioner(%q) = %s, %v, want an error of partitioners", text, p, err)
		}
	}
}
