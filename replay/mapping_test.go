package replay_test

import (
	"strings"
	"testing"

	"github.com/karchive/karchive/replay"
)

func mapping(t *testing.T, rules ...string) replay.Mapping {
	t.Helper()
	var m replay.Mapping
	for _, text := range rules {
		r, err := replay.ParseRule(text)
		must(t, err)
		equal(t, "rule", r.String(), text)
		m = append(m, r)
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
		if _, err := replay.ParseRule(text); err == nil || !strings.Contains(err.Error(), "not a topic mapping") {
			t.Errorf("ParseRule(%q) = %v, want ErrMapping", text, err)
		}
	}
}

func TestMappingRefusesAnIllegalName(t *testing.T) {
	if _, err := mapping(t, "x*:=*").Topic("x"); err == nil || !strings.Contains(err.Error(), "not a topic mapping") {
		t.Errorf("error %v, want ErrMapping", err)
	}
}

func TestTopicsGoWhereTheMappingSays(t *testing.T) {
	r := ordersAndEvents(30)
	c := newTarget(t)
	c.run(t, r.archive(t), replay.Options{Mapping: mapping(t, "orders:=copy", "*:=test-*"), CreateTopics: true})
	copied, events := orders1, events0
	copied.Topic, events.Topic = "copy", "test-events"
	equal(t, "copy/1", c.values(t, copied), valuesOf(r.records[orders1]))
	equal(t, "test-events/0", c.values(t, events), valuesOf(r.records[events0]))
}

func TestTopicsThatGoToOneKeepTheirOwnOrder(t *testing.T) {
	r := ordersAndEvents(100)
	c := newTarget(t)
	report := c.run(t, r.archive(t), replay.Options{Mapping: mapping(t, "*:=all"), CreateTopics: true})
	equal(t, "findings", codes(report.Plan), []string{"merged-topics"})
	var orders, events []string
	all := orders0
	all.Topic = "all"
	for _, v := range c.values(t, all) {
		if v[0] == 'o' {
			orders = append(orders, v)
		} else {
			events = append(events, v)
		}
	}
	equal(t, "orders", orders, valuesOf(r.records[orders0]))
	equal(t, "events", events, valuesOf(r.records[events0]))
}
