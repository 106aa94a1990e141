package format

import "fmt"

// Recover writes what from, an archive from OpenIntact, holds into another archive, which is open for writing and holds no segment yet. What
// is lost stands in the new archive's ledger as gaps of reason GapCorrupt; its segments are cut as they were. After an error into holds
// a part of them and is not to be used.
func Recover(from, into *Archive, o ConvertOptions) error {
	for _, tp := range from.Partitions() {
		list := from.Segments(tp)
		for i, s := range list {
			base := s.Base
			if i > 0 {
				d, err := from.Document(list[i-1])
				if err != nil {
					return fmt.Errorf("recover: %w", err)
				}
				base = d.NextOffset
			}
			if _, err := copySegment(from, into, s, base, o); err != nil {
				return fmt.Errorf("recover: %w", err)
			}
		}
	}
	return nil
}
