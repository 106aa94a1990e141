package copying

import (
	"fmt"

	"github.com/karchive/karchive/format"
)

// addGroups adds what an input keeps of consumer groups in the partitions that are selected.
func addGroups(id *format.Identity, in *Input) error {
	groups := in.Archive.Identity().Groups
	if groups == nil {
		return nil
	}
	selected, err := groups.Select(in.Takes, in.Topic)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	id.Groups = id.Groups.Merge(selected)
	return nil
}
