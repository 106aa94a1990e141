package capture

import (
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// assignment says which partitions are this run's, and has their lanes begin.
type assignment interface {
	// begin begins with what p plans.
	begin(p *plan)
	// look is told about every fresh look at the cluster, never twice at once.
	look(m *kafka.Metadata)
	// sealed is told how far a partition is sealed.
	sealed(tp format.TopicPartition, next int64)
	// end is called when all lanes have ended.
	end()
	// handed is what was got and given up; nil: the assignment does not change.
	handed() *group.Handed
}

// fixed is the assignment of a run that takes all that is selected, from its beginning to its end.
type fixed struct{ run *run }

func (f fixed) begin(p *plan) { f.run.start(p.work) }

// look finds partitions that came into being after the capture began: a follow capture takes them, from their beginning, a
// snapshot only says so.
func (f fixed) look(m *kafka.Metadata) {
	r := f.run
	fresh := r.unknown(m)
	if len(fresh) == 0 {
		return
	}
	if !r.settings.Follow {
		for _, tp := range fresh {
			r.warnf("%s was added while the snapshot was taken, and is not in it", tp)
		}
		return
	}
	// Its leader may not be there yet, and the next look tries again. Meanwhile nothing of it is lost.
	all, err := r.adopt(r.fetching, m, fresh)
	r.unadopt(err)
	if err == nil {
		r.start(all)
	}
}

func (f fixed) sealed(format.TopicPartition, int64) {}

func (f fixed) end() {}

func (f fixed) handed() *group.Handed { return nil }
