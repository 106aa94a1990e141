//go:build iceberg

package iceberg

import (
	"fmt"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// The columns that more is said of than their type.
const (
	partitionColumn = "partition"
	offsetColumn    = "offset"
	timestampColumn = "timestamp"
)

const (
	partitionID    = 8    // of the column
	partitionField = 1000 // the first id that the specification gives to partition fields
)

// newSchema is what a table has: the columns of the files by their names and in their order, and the partition, which is not in them. Readers
// that do not know of names go by the order.
func newSchema() *ice.Schema {
	t := ice.PrimitiveTypes
	header := &ice.StructType{FieldList: []ice.NestedField{
		{ID: 10, Name: "key", Type: t.String, Required: true},
		{ID: 11, Name: "value", Type: t.Binary},
	}}
	return ice.NewSchema(0,
		ice.NestedField{ID: 1, Name: offsetColumn, Type: t.Int64, Required: true},
		ice.NestedField{ID: 2, Name: timestampColumn, Type: t.TimestampTz, Required: true, Doc: "-1 ms: none; in Spark and Flink compare unix_millis(timestamp), not the column"},
		ice.NestedField{ID: 3, Name: "timestamp_type", Type: t.Int32, Required: true, Doc: "0 create time, 1 log append time, -1 none"},
		ice.NestedField{ID: 4, Name: "leader_epoch", Type: t.Int32, Required: true, Doc: "-1: unknown"},
		ice.NestedField{ID: 5, Name: "key", Type: t.Binary},
		ice.NestedField{ID: 6, Name: "value", Type: t.Binary, Doc: "null: a tombstone"},
		ice.NestedField{ID: 7, Name: "headers", Required: true, Type: &ice.ListType{ElementID: 9, Element: header, ElementRequired: true}},
		ice.NestedField{ID: partitionID, Name: partitionColumn, Type: t.Int32, Doc: "of the topic; not in the files"},
	)
}

func newSpec() *ice.PartitionSpec {
	spec := ice.NewPartitionSpec(ice.PartitionField{SourceIDs: []int{partitionID}, FieldID: partitionField, Name: partitionColumn, Transform: ice.IdentityTransform{}})
	return &spec
}

// columns are the ids that a catalog gave to columns when it made a table.
type columns struct{ offset, timestamp, partition int }

// columnsOf finds them, and refuses a table that somebody gave another shape.
func columnsOf(tbl *table.Table) (columns, error) {
	var ids [3]int
	have := tbl.Schema()
	for i, column := range []string{offsetColumn, timestampColumn, partitionColumn} {
		want, _ := newSchema().FindFieldByName(column)
		f, ok := have.FindFieldByName(column)
		if !ok || !f.Type.Equals(want.Type) {
			return columns{}, &TableError{Why: fmt.Sprintf("its column %s is not there, or of another type", column)}
		}
		ids[i] = f.ID
	}
	spec := tbl.Spec()
	for _, f := range spec.Fields() {
		if spec.NumFields() == 1 && len(f.SourceIDs) == 1 && f.SourceIDs[0] == ids[2] && f.Transform.Equals(ice.IdentityTransform{}) {
			return columns{ids[0], ids[1], f.FieldID}, nil
		}
	}
	return columns{}, &TableError{Why: "it is not partitioned by the column partition"}
}
