package ondisk

// The columns of a segment, those of headers by their path in Parquet. A reader finds them by name and ignores others.
const (
	ColumnOffset        = "offset"
	ColumnTimestamp     = "timestamp"
	ColumnTimestampType = "timestamp_type"
	ColumnLeaderEpoch   = "leader_epoch"
	ColumnKey           = "key"
	ColumnValue         = "value"
	ColumnHeaderKey     = "headers.list.element.key"
	ColumnHeaderValue   = "headers.list.element.value"
)

// The keys of a segment's key-value metadata: the document, and the digest of its exact bytes.
const (
	DocumentKey       = "karchive"
	DocumentDigestKey = "karchive.xxh3"
)

// RowGroupBytes is the most canonical bytes of a row group of more than one record. It bounds the memory of writing and reading.
const RowGroupBytes = 8 << 20

// MaxFooterBytes bounds what is read of a segment before its row groups: the document and about a kilobyte a row group.
const MaxFooterBytes = 192 << 20
