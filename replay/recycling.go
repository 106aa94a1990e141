package replay

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// memory is what row groups and chunks leave for those that follow at top speed. Making and collecting them anew takes a sixth of a
// replay's time. It is safe for concurrent use.
type memory struct {
	groups, chunks sync.Pool // of *format.Buffer and *chunk
	fresh          bool      // nothing is used again
}

// newMemory uses nothing again when a hook of the client gets to see records: it may keep them.
func newMemory(client *kgo.Client, added []kgo.Hook) *memory {
	hooks, _ := client.OptValue(kgo.WithHooks).([]kgo.Hook)
	return &memory{fresh: slices.ContainsFunc(slices.Concat(hooks, added), seesRecords)}
}

func seesRecords(h kgo.Hook) bool {
	switch h.(type) {
	case kgo.HookProduceRecordBuffered, kgo.HookProduceRecordPartitioned, kgo.HookProduceRecordUnbuffered:
		return true
	}
	return false
}

func (m *memory) group() *format.Buffer {
	if b, _ := m.groups.Get().(*format.Buffer); b != nil {
		return b
	}
	return &format.Buffer{}
}

// recycleGroup takes the memory of a row group that nobody points to.
func (m *memory) recycleGroup(b *format.Buffer) {
	if !m.fresh {
		m.groups.Put(b)
	}
}

func (m *memory) chunk() *chunk {
	if c, _ := m.chunks.Get().(*chunk); c != nil {
		return c
	}
	return &chunk{memory: m}
}

// recycle takes a chunk that nobody points to. The receiver may be nil.
func (m *memory) recycle(c *chunk) {
	if m != nil && !m.fresh {
		m.chunks.Put(c)
	}
}
