// Package origin describes where the records of an archive come from, beside the records: the plan of the capture, the cluster, its topics, the consumer groups
// and the schemas of its registry at that time. An archive keeps these values in its identity, and the source of each segment in its document; package
// format writes and reads them. SPEC.md in the module's root defines what is on disk.
//
// The values are plain data. Those that an archive has given out are shared, and must not be changed.
package origin
