package suggest

import "testing"

func TestNearestFindsSlipsAndLeavesStrangersAlone(t *testing.T) {
	names := []string{"capture", "replay", "verify", "info", "cat", "--partitions", "--partitioner", "sasl.mechanism"}
	for _, c := range []struct{ word, want string }{
		{"captuer", "capture"},
		{"capture", "capture"},
		{"relpay", "replay"},
		{"verfiy", "verify"},
		{"--partition", "--partitions"},
		{"sasl.mecanism", "sasl.mechanism"},
		{"--partitionssecret", ""}, // what is behind a name may be a secret
		{"zzz", ""},
		{"", ""},
	} {
		if got := Nearest(c.word, names); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}
