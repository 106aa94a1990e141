package format

// Limits of the format. A writer refuses to pass them, a reader refuses to believe more, so that a small hostile file cannot ask
// for much memory.
const (
	// maxRecordBytes is the largest record, in canonical bytes: it must fit in one Parquet page, whose size is a signed 32-bit number,
	// beside its levels and under the limit of the Parquet readers we know. Kafka's own default limit is 1 MiB.
	maxRecordBytes = 1 << 30
	// maxPageBytes bounds a page on reading: one record of the largest size, and its levels.
	maxPageBytes = maxRecordBytes + 64<<20
	// maxGroupBytes is the most canonical bytes of a row group of several records that a reader accepts. It leaves room for writers of
	// later versions whose row groups are larger than ondisk.RowGroupBytes.
	maxGroupBytes = 64 << 20
	// maxDocumentBytes bounds the footer document. The largest that a Pending makes is below maxRowGroups times a few hundred bytes
	// plus maxHeaderKeysBytes.
	maxDocumentBytes = 64 << 20
	// maxRowGroups stays under the 32,767 that a Parquet row group's 16-bit ordinal can count.
	maxRowGroups = 32_000
	// minObjectBytes is less than the JSON objects of a document and of karchive.json take on average. It bounds the memory that
	// reading them takes to a multiple of their size.
	minObjectBytes = 16
	// maxHeaderKeysBytes bounds the footer space for header keys that are not UTF-8, over a whole segment.
	maxHeaderKeysBytes = 16 << 20
)
