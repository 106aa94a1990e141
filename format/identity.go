package format

// Identity is what karchive.json holds: what an archive is and where it comes from. Facts about records are in the segments.
type Identity struct {
	Version   string       `json:"version"`    // format version
	ArchiveID string       `json:"archive_id"` // random UUID, made by Create
	CreatedBy string       `json:"created_by"`
	CreatedAt string       `json:"created_at"` // RFC 3339, UTC
	Encoding  Encoding     `json:"encoding"`
	ClusterID string       `json:"cluster_id"` // of the source; empty: not from a cluster
	Topics    []Topic      `json:"topics"`     // sorted by name
	Capture   *CapturePlan `json:"capture,omitempty"`
}

// Topic describes a topic of the source cluster.
type Topic struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`                // UUID in Kafka's base64 form; empty: none
	Partitions int32             `json:"partitions"`        // of the topic in the cluster, whether archived or not
	Configs    map[string]string `json:"configs,omitempty"` // only what is overridden at the topic
}

// CapturePlan is what a capture resolved at its start, durable before its first fetch, so that the same command goes on with the
// same plan after a crash.
type CapturePlan struct {
	Mode       string      `json:"mode"` // "snapshot" or "follow"
	Isolation  Isolation   `json:"isolation"`
	From       string      `json:"from"` // as given
	Until      string      `json:"until,omitempty"`
	Rules      string      `json:"rules,omitempty"`
	// Options are the other options that shape the content (compression, rotation and the like), by name, each in one canonical
	// spelling. A capture that goes on with other values is refused, by name. What does not shape the content stays out.
	Options    map[string]string `json:"options,omitempty"`
	Partitions []PlanRange       `json:"partitions"` // sorted by topic and partition
}

// PlanRange is what a capture takes of one partition: [Start, End), End -1 for a follow capture.
type PlanRange struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
}
