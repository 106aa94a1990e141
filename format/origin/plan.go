package origin

import (
	"fmt"

	"github.com/karchive/karchive/internal/ondisk"
)

// Plan is what a capture resolved at its start, durable before its first fetch, so that the same command goes on with the
// same plan after a crash.
type Plan struct {
	Mode      Mode      `json:"mode"`
	Isolation Isolation `json:"isolation"`
	From      string    `json:"from"` // as given
	Until     string    `json:"until,omitempty"`
	Rules     string    `json:"rules,omitempty"`
	// Options are the other options that shape the content (compression, rotation and the like), by name, each in one canonical
	// spelling. A capture that goes on with other values is refused, by name. What does not shape the content stays out.
	Options    map[string]string `json:"options,omitempty"`
	Partitions []PlanRange       `json:"partitions"` // sorted by topic and partition
}

// Mode says when a capture ends.
type Mode string

// The modes of captures.
const (
	ModeSnapshot Mode = "snapshot" // at the planned end of every partition
	ModeFollow   Mode = "follow"   // when it is stopped
)

// PlanRange is what a capture takes of one partition: [Start, End), End -1 where none is planned. The plan of a follow capture has an end
// only where a recovery knows that the archive went so far.
type PlanRange struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
}

// Check refuses what cannot be a plan.
func (p *Plan) Check() error {
	if p.Mode != ModeSnapshot && p.Mode != ModeFollow {
		return fmt.Errorf("mode %.40q is unknown", string(p.Mode))
	}
	if err := p.Isolation.Check(); err != nil {
		return err
	}
	var last partition
	for i, r := range p.Partitions {
		if err := ondisk.CheckTopic(r.Topic); err != nil {
			return err
		}
		at := partition{r.Topic, r.Partition}
		if i > 0 && last.compare(at) >= 0 {
			return fmt.Errorf("the plan has %s-%d twice or out of order", r.Topic, r.Partition)
		}
		if last = at; r.Partition < 0 || r.Start < 0 || r.End < r.Start && r.End != -1 {
			return fmt.Errorf("partition %d of topic %s from %d to %d is no range", r.Partition, r.Topic, r.Start, r.End)
		}
	}
	return nil
}
