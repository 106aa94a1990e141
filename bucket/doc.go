// Package bucket keeps archives in buckets of object stores: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob
// Storage, through gocloud.dev/blob. A [Store] is made of an opened bucket. It is a place for [format.Open] and [format.Verify] to read from, and for
// [format.Create] and [format.OpenForWriting] to write to.
//
// The layout is that of an archive in a directory, and so are the bytes of every segment: objects that are copied into a directory are an
// archive there, and the other way round.
//
// There is no lock. The name of a segment is its fence: it is created with the condition that it is not there yet, so of two writers that go on at the same
// offset one wins, and the other goes on behind what the first one wrote. [Store.Probe] refuses a store that does not hold to such conditions.
// An answer that is lost looks like a rival, so an object that is there already and has our size and SHA-256 is our own.
//
// What may pass is tried again: throttling, timeouts, connections that break, conflicts. What does not pass within [Options.Patience] is
// returned with the last answer. Requests and bytes are counted ([Store.Requests]).
package bucket
