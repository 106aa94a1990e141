package format

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/karchive/karchive/internal/ondisk"
)

// Definition levels of the nullable and repeated columns.
const (
	definedPayload     = 1 // key and value: not null
	definedHeader      = 1 // a header is there
	definedHeaderValue = 2 // and its value is not null
)

// parquetSchema is the schema of SPEC.md, "Columns".
var (
	parquetSchema  = newParquetSchema()
	parquetColumns = schema.NewSchema(parquetSchema)
)

func newParquetSchema() *schema.GroupNode {
	required, optional := parquet.Repetitions.Required, parquet.Repetitions.Optional
	leaf := func(name string, r parquet.Repetition, l schema.LogicalType, t parquet.Type) schema.Node {
		return schema.Must(schema.NewPrimitiveNodeLogical(name, r, l, t, -1, -1))
	}
	millis := schema.NewTimestampLogicalType(true, schema.TimeUnitMillis)
	none := schema.NoLogicalType{}
	header := schema.MustGroup(schema.NewGroupNode("element", required, schema.FieldList{
		leaf("key", required, schema.StringLogicalType{}, parquet.Types.ByteArray),
		leaf("value", optional, none, parquet.Types.ByteArray),
	}, -1))
	list := schema.MustGroup(schema.NewGroupNode("list", parquet.Repetitions.Repeated, schema.FieldList{header}, -1))
	headers := schema.MustGroup(schema.NewGroupNodeLogical("headers", required, schema.FieldList{list}, schema.NewListLogicalType(), -1))
	return schema.MustGroup(schema.NewGroupNode("schema", required, schema.FieldList{
		leaf(ondisk.ColumnOffset, required, none, parquet.Types.Int64),
		leaf(ondisk.ColumnTimestamp, required, millis, parquet.Types.Int64),
		leaf(ondisk.ColumnTimestampType, required, schema.NewIntLogicalType(8, true), parquet.Types.Int32),
		leaf(ondisk.ColumnLeaderEpoch, required, none, parquet.Types.Int32),
		leaf(ondisk.ColumnKey, optional, none, parquet.Types.ByteArray),
		leaf(ondisk.ColumnValue, optional, none, parquet.Types.ByteArray),
		headers,
	}, -1))
}

// createdBy is fixed: the name and version of a program in every file would make equal records unequal files.
const createdBy = "karchive format " + parquetVersion

// parquetVersion is the format version of Parquet segments.
const parquetVersion = "1.0"

// writerProperties tell the Parquet library what the metadata says of columns; the pages are ours.
func writerProperties(level int) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy),
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithCompression(parquetCodec(level)),
		parquet.WithDictionaryDefault(false),
		parquet.WithEncoding(parquet.Encodings.DeltaLengthByteArray),
	}
	for _, number := range []string{ondisk.ColumnOffset, ondisk.ColumnTimestamp, ondisk.ColumnTimestampType, ondisk.ColumnLeaderEpoch} {
		options = append(options, parquet.WithEncodingFor(number, parquet.Encodings.DeltaBinaryPacked))
	}
	return parquet.NewWriterProperties(options...)
}
