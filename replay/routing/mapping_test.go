package routing_test

import (
	"strings"
	"testing"

	"github.com/karchive/karchive/replay/routing"
)

func mapping(t *testing.T, rules ...string) routing.Mapping {
	t.Helper()
	m, err := routing.ParseMapping(rules...)
	if got, want := m.String(), strings.Join(rules, ","); err != nil || got != want {
		t.Fatalf("ParseMapping(%q) = %s, %v", rules, got, err)
	}
	return m
}

func TestMappingRenamesTopics(t *testing.T) {
	for _, c := range []struct {
		rules []string
		topic string
		want  string
	}{
		{nil, "orders", "orders"},
		{[]string{"orders:=copy"}, "orders", "copy"},
		{[]string{"orders:=copy"}, "orders-2", "orders-2"},
		{[]string{"*:=test-*"}, "orders", "test-orders"},
		{[]string{"*:=test-*", "orders:=copy"}, "orders", "test-orders"},
		{[]string{"orders:=copy", "*:=test-*"}, "orders", "copy"},
		{[]string{"prod.*:=stage.*"}, "prod.eu.orders", "stage.eu.orders"},
		{[]string{"prod.*:=stage.*"}, "prodXorders", "prodXorders"},
		{[]string{"*.*:=*_*"}, "a.b.c", "a.b_c"},
		{[]string{"a-*-b:=*"}, "a-x-b", "x"},
		{[]string{"orders-*:=orders"}, "orders-7", "orders"},
		{[]string{"orders*:=o*"}, "orders", "o"},
	} {
		got, err := mapping(t, c.rules...).Topic(c.topic)
		if err != nil || got != c.want {
			t.Errorf("%v maps %q to %q, %v, want %q", c.rules, c.topic, got, err, c.want)
		}
	}
}

func TestMappingRefusesWhatIsNoRule(t *testing.T) {
	for _, text := range []string{"", "a", "a:=", ":=b", "a=b", "a:=b*", "*:=**", "a/b:=c", "a:=c d"} {
		if _, err := routing.ParseRule(text); err == nil || !strings.Contains(err.Error(), "not a topic mapping") {
			t.Errorf("ParseRule(%q) = %v, want an error of mappings", text, err)
		}
	}
}

func TestMappingRefusesAnIllegalName(t *testing.T) {
	if _, err := mapping(t, "x*:=*").Topic("x"); err == nil || !strings.Contains(err.Error(), "not a topic mapping") {
		t.Errorf("error %v, want an error of mappings", err)
	}
}

func TestAMappingWithOneBadRuleIsNone(t *testing.T) {
	if m, err := routing.ParseMapping("a:=b", "c"); err == nil || m != nil {
		t.Errorf("got %v, %v, want an error", m, err)
	}
}

func TestARuleIsUnusedWhereItDecidesForNoTopic(t *testing.T) {
	for _, c := range []struct{ rules, topics, unused string }{
		{"a:=b", "a,c", ""},
		{"a:=b", "c", "a:=b"},
		{"a:=b,x*:=y*,c:=d", "c,xx", "a:=b"},
		{"*:=x.*,a:=b", "a", "a:=b"},
		{"a:=a", "a", ""},
		{"a:=b,a:=c", "a", "a:=c"},
		{"a:=b", "", "a:=b"},
	} {
		m, err := routing.ParseMapping(strings.Split(c.rules, ",")...)
		if err != nil {
			t.Fatal(err)
		}
		if got := routing.Mapping(m.Unused(strings.Split(c.topics, ","))).String(); got != c.unused {
			t.Errorf("of %s for %s: got %q, want %q", c.rules, c.topics, got, c.unused)
		}
	}
}
