package format

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// The leaf columns of a Parquet segment, in file order. A reader finds them by path and ignores others.
const (
	columnOffset        = "offset"
	columnTimestamp     = "timestamp"
	columnTimestampType = "timestamp_type"
	columnLeaderEpoch   = "leader_epoch"
	columnKey           = "key"
	columnValue         = "value"
	columnHeaderKey     = "headers.list.element.key"
	columnHeaderValue   = "headers.list.element.value"
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
		leaf(columnOffset, required, none, parquet.Types.Int64),
		leaf(columnTimestamp, required, millis, parquet.Types.Int64),
		leaf(columnTimestampType, required, schema.NewIntLogicalType(8, true), parquet.Types.Int32),
		leaf(columnLeaderEpoch, required, none, parquet.Types.Int32),
		leaf(columnKey, optional, none, parquet.Types.ByteArray),
		leaf(columnValue, optional, none, parquet.Types.ByteArray),
		headers,
	}, -1))
}

// createdBy is fixed: the name and version of a program in every file would make equal records unequal files.
const createdBy = "karchive format " + parquetVersion

// parquetVersion is the format version of Parquet segments.
const parquetVersion = "1.0"

// pageBytes ends a data page. It is a rule on records too: values are fed in steps that depend on nothing else.
const pageBytes = 256 << 10

func writerProperties(c Compression) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy),
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithDataPageVersion(parquet.DataPageV1),
		parquet.WithDataPageSize(pageBytes),
		parquet.WithBatchSize(feedRows),
		parquet.WithCompression(c.parquet()),
		parquet.WithCompressionLevel(c.Level),
		// Payloads: a dictionary rarely pays, and minima and maxima of payloads in a footer leak them.
		parquet.WithDictionaryDefault(false),
		parquet.WithStats(false),
		parquet.WithStatsFor(columnOffset, true),
		parquet.WithStatsFor(columnTimestamp, true),
		parquet.WithEncodingFor(columnOffset, parquet.Encodings.DeltaBinaryPacked),
		parquet.WithEncodingFor(columnTimestamp, parquet.Encodings.DeltaBinaryPacked),
		// Lengths apart from bytes: smaller than PLAIN by 1-4 % after zstd, and one copy less to decode.
		parquet.WithEncodingFor(columnKey, parquet.Encodings.DeltaLengthByteArray),
		parquet.WithEncodingFor(columnValue, parquet.Encodings.DeltaLengthByteArray),
		parquet.WithEncodingFor(columnHeaderValue, parquet.Encodings.DeltaLengthByteArray),
		parquet.WithDictionaryFor(columnTimestampType, true),
		parquet.WithDictionaryFor(columnLeaderEpoch, true),
		parquet.WithDictionaryFor(columnHeaderKey, true),
	}
	return parquet.NewWriterProperties(options...)
}
