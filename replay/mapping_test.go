package replay_test

import (
	"testing"

	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

func mapping(t *testing.T, rules ...string) routing.Mapping {
	t.Helper()
	m, err := routing.ParseMapping(rules...)
	must(t, err)
	return m
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
