// Package format reads and writes karchive archives: directories of immutable segment files, each holding the records of one
// Kafka topic partition as an ordinary zstd-compressed Parquet or Arrow IPC file. SPEC.md in the module's root defines what is on disk.
//
// In the normal case use an [Archive]: [Create] or [OpenForWriting] one, take a [Pending] segment from [Archive.NewSegment], write
// records in offset order and seal it; to read, [Open] the archive or [OpenPath] it, and range over [Archive.Records]. [Archive.Cursor]
// gives a partition's records a row group at a time, [Archive.Walk] goes through row groups and decodes none, and [Verify] checks all.
//
// A record is released to a caller only after the digest of its row group was checked: a reader returns what was written or an
// error that wraps [ErrCorrupt], and never a guess. Reading holds one row group in memory, not a file.
//
// The package knows no Kafka client, no network, no log and no command line. Unless a type says otherwise, its values are for one
// goroutine at a time; an open read-only Archive may be shared.
package format
