//go:build iceberg

package iceberg

import (
	"slices"
	"strings"

	"github.com/apache/iceberg-go/table"
)

// name is a topic and the table that is made of it.
type name struct {
	topic      string
	identifier table.Identifier
}

func (n name) String() string { return strings.Join(n.identifier, ".") }

// legalName is a name that every engine takes without quotes but for a digit in front: some lower letters themselves, and take a dot for the end of a namespace.
func legalName(topic string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, topic)
}

// legalNamespace says whether a part of a namespace is one that needs no escapes in the URLs of metadata, which readers disagree about.
func legalNamespace(part string) bool {
	return part != "" && legalName(part) == strings.ReplaceAll(strings.ToLower(part), "-", "_")
}

// tableNames are those of the topics, in their order, each once.
func (x *export) tableNames() ([]name, error) {
	topics := x.Topics
	if topics == nil {
		for _, tp := range x.archive.Partitions() {
			topics = append(topics, tp.Topic)
		}
	}
	topics = slices.Compact(slices.Sorted(slices.Values(topics)))
	taken := map[string]string{}
	var names []name
	for _, topic := range topics {
		t := x.TablePrefix + legalName(topic)
		if other, ok := taken[t]; ok {
			return nil, &NamesError{other, topic, t}
		}
		taken[t] = topic
		names = append(names, name{topic, append(slices.Clone(x.namespace), t)})
	}
	return names, nil
}
