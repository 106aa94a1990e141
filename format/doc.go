// Package format reads and writes karchive archives: directories of immutable segment files, each holding the records of one
// Kafka topic partition as an ordinary zstd-compressed Parquet or Arrow IPC file. SPEC.md in the module's root defines what is on disk.
//
// In the normal case use an [Archive]: [Create] or [OpenForWriting] one, take a [Pending] segment from [Archive.NewSegment], write
// records in offset order and seal it; to read, [Open] the archive or [OpenPath] it, and range over [Archive.Records]. [Archive.Walk]
// goes through row groups and decodes none, a [GroupReader] decodes those that are wanted, and [Verify] checks all.
//
// Package origin is what an archive says of where its records come from, package ledger why an offset has no record, and package storage what a
// place is to do in which archives lie.
//
// A record that is written is copied once, as its canonical bytes, into the arena of its row group; the columns are cut out of that again. It
// looks like a detour and is none. The copy must be made, because a record is the caller's and is encoded later, on another goroutine; the
// digest is of just these bytes, one behind the other; an arena has no pointers that the collector would follow; and columns and pages point
// into it, so payloads are not copied again before they are compressed. Cutting the fields out takes a sixth of what encoding takes, and half
// of the copy (BenchmarkWayIntoColumns); going over records would take its share of that too.
//
// A record is released to a caller only after the digest of its row group was checked: a reader returns what was written or an
// error that wraps [ErrCorrupt], and never a guess. Reading holds one row group in memory, not a file.
//
// The package knows no Kafka client, no network, no log and no command line. Unless a type says otherwise, its values are for one
// goroutine at a time; an open read-only Archive may be shared.
package format
