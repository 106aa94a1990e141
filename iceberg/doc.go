// Package iceberg makes Apache Iceberg tables of archives: one a topic, which has the segments as they are. Nothing is copied and no segment is
// changed; what is written is Iceberg's own metadata, in the place where the catalog keeps it. Export is called again when the archive has grown,
// was pruned or moved, and makes the tables follow it.
//
// A table mirrors its topic: its data files are the segments that have records, no more and no less, and each change is one commit. Two calls at
// the same time do no harm, and one that was killed is ended by the next.
//
// All but this sentence is built with the tag iceberg alone, because what it needs makes a program much larger:
//
//	go build -tags iceberg
//
// The catalog is one of github.com/apache/iceberg-go/catalog, opened by the caller.
package iceberg
