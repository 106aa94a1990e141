package selection

import (
	"slices"

	"github.com/karchive/karchive/format"
)

// TopicsOf are the names of the topics of archives, sorted, also of those without a record.
func TopicsOf(archives ...*format.Archive) []string {
	var names []string
	for _, a := range archives {
		for _, t := range a.Identity().Topics {
			names = append(names, t.Name)
		}
		for _, tp := range a.Partitions() {
			names = append(names, tp.Topic)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
