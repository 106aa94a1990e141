package format

import (
	"errors"
	"fmt"

	"github.com/karchive/karchive/format/origin"
)

// ResumePoint is where a partition goes on.
type ResumePoint struct {
	Next        int64 // first offset that no segment covers
	LeaderEpoch int32 // of the last record or marker, NoLeaderEpoch: unknown
	Source      origin.Source
}

// Resume says where partition tp goes on; ok is false when it has no segment yet. It reads the last documents only: a walk from the
// beginning would read them all. The very last one is read from its segment, whatever the archive's catalog says: no name of another segment
// tells where it ends.
func (a *Archive) Resume(tp TopicPartition) (p ResumePoint, ok bool, err error) {
	list := a.list(tp)
	if len(list) == 0 {
		return ResumePoint{}, false, nil
	}
	last, err := a.footer(list[len(list)-1])
	if err != nil {
		return ResumePoint{}, false, err
	}
	p = ResumePoint{Next: last.NextOffset, LeaderEpoch: last.LastLeaderEpoch, Source: last.Source}
	for i := len(list) - 2; i >= 0; i-- {
		d, err := a.Document(list[i])
		if errors.Is(err, ErrPruned) {
			break // what is behind it says enough
		}
		if err != nil {
			return ResumePoint{}, false, err
		}
		if err := list[i+1].checkAdjoins(d.NextOffset); err != nil {
			return ResumePoint{}, false, a.blame(fmt.Errorf("%s: %w", list[i+1].Path, err), list[i])
		}
		// A segment of nothing but a gap has no epoch; the one before it may.
		if p.LeaderEpoch != NoLeaderEpoch {
			break
		}
		p.LeaderEpoch = d.LastLeaderEpoch
	}
	return p, true, nil
}
