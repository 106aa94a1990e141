package serve

import (
	"errors"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// first is the first offset that can be read now. It rises when the archive is pruned.
func (p *partition) first() int64 { return max(p.start, min(p.pruned.Load(), p.end)) }

// follow lets the partition begin where it does since a prune that err tells of. It says whether what was asked for may be asked again.
func (p *partition) follow(err error) bool {
	if !errors.Is(err, format.ErrPruned) || p.source.Archive.RefreshIdentity() != nil {
		return false
	}
	found := origin.FindPruned(p.source.Archive.Identity().Pruned, p.tp.Topic, p.tp.Partition)
	if found == nil {
		return false
	}
	for {
		before := p.pruned.Load()
		if found.Until <= before {
			return false
		}
		if p.pruned.CompareAndSwap(before, found.Until) {
			return true
		}
	}
}

// following answers a question, and once more after a prune.
func following[T any](p *partition, ask func() (T, error)) (T, error) {
	answer, err := ask()
	for err != nil && p.follow(err) {
		answer, err = ask()
	}
	return answer, err
}
