// Package imports makes archives of records that lie in other files: the lines of karchive cat, JSON of any shape, kcat -J, CSV, Parquet
// and Speedscale snapshots.
//
// A Source reads rows, each a record and what the file tells of its place; Open makes one of a file. Run reads all sources, gives
// records their partition and offset where the file names none, sorts them by partition and offset in bounded memory, and writes the
// segments of an archive. A row that cannot be taken is a *BadRow with the line and the reason; Run ends at the first, or goes on
// until there are more than Options.SkipBad.
//
// Order. Offsets that a file names are kept, in whatever order they come: the records are sorted, in memory as long as they fit into
// Options.MemoryBytes and by way of a temporary file of their size beyond that. Records without offsets are numbered from 0 as they come,
// each partition for itself. In one partition all have offsets or none. The same record at the same offset counts once; another one at
// the same offset is a bad row.
//
// Values are for one goroutine.
package imports
