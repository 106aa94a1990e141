package origin

// Topic describes a topic of the source cluster.
type Topic struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`                // UUID in Kafka's base64 form; empty: none
	Partitions int32             `json:"partitions"`        // of the topic in the cluster, whether archived or not
	Configs    map[string]string `json:"configs,omitempty"` // only what is overridden at the topic
	Codecs     Codecs            `json:"codecs,omitempty"`  // of the batches that were captured
}
