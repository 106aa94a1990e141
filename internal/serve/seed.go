package serve

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The embedded broker takes topic ids, the cluster id and who may do what from files only, which it also writes.
type (
	seedCluster struct {
		Version   int    `json:"version"`
		ClusterID string `json:"cluster_id"`
	}
	seedTopics struct {
		Version int         `json:"version"`
		Topics  []seedTopic `json:"topics"`
	}
	seedTopic struct {
		Name       string            `json:"name"`
		ID         []byte            `json:"id"`
		Partitions int               `json:"partitions"`
		Replicas   int               `json:"replicas"`
		Configs    map[string]string `json:"configs,omitempty"`
	}
	seedRights struct {
		Version int         `json:"version"`
		ACLs    []seedRight `json:"acls"`
	}
	seedRight struct {
		Principal    string `json:"principal"`
		Host         string `json:"host"`
		ResourceType int8   `json:"resource_type"`
		ResourceName string `json:"resource_name"`
		Pattern      int8   `json:"pattern"`
		Operation    int8   `json:"operation"`
		Permission   int8   `json:"permission"`
	}
)

const seedVersion = 1

// seed writes what the embedded broker begins with into a directory.
func (all *topics) seed(dir, clusterID string) error {
	described := seedTopics{Version: seedVersion}
	for _, t := range all.byName {
		described.Topics = append(described.Topics, seedTopic{t.name, t.id[:], len(t.partitions), 1, t.configs})
	}
	for name, content := range map[string]any{
		"meta.json": seedCluster{seedVersion, clusterID}, "topics.json": described, "acls.json": seedRights{seedVersion, all.rights()},
	} {
		b, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// rights let everybody do everything but change archived topics and rights.
func (all *topics) rights() []seedRight {
	right := func(kind kmsg.ACLResourceType, name string, operation kmsg.ACLOperation, permission kmsg.ACLPermissionType) seedRight {
		return seedRight{"User:*", "*", int8(kind), name, int8(kmsg.ACLResourcePatternTypeLiteral), int8(operation), int8(permission)}
	}
	var out []seedRight
	for _, kind := range []kmsg.ACLResourceType{kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup, kmsg.ACLResourceTypeTransactionalId} {
		out = append(out, right(kind, "*", kmsg.ACLOperationAll, kmsg.ACLPermissionTypeAllow))
	}
	for _, operation := range []kmsg.ACLOperation{kmsg.ACLOperationCreate, kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationIdempotentWrite} {
		out = append(out, right(kmsg.ACLResourceTypeCluster, "kafka-cluster", operation, kmsg.ACLPermissionTypeAllow))
	}
	for name := range all.byName {
		for _, operation := range []kmsg.ACLOperation{kmsg.ACLOperationWrite, kmsg.ACLOperationDelete, kmsg.ACLOperationAlter, kmsg.ACLOperationAlterConfigs} {
			out = append(out, right(kmsg.ACLResourceTypeTopic, name, operation, kmsg.ACLPermissionTypeDeny))
		}
	}
	return out
}
