// Package kafka asks clusters: who they are, what topics and offsets they have, and for bytes of a partition. Capture and replay ask
// through it, so that there is one answer to what happens while brokers come, go and hand partitions over.
//
// The rule: an error that asking again may cure is asked again, with a pause that grows, until the cluster's patience ends; the
// error is then a *TimeoutError that wraps the last answer. Every other error ends the question at once. Partitions and topics that have
// their answer are not asked about again. [Retriable] says which errors those are. Records are fetched and produced elsewhere, by loops
// of their own.
//
// A Cluster is safe for concurrent use.
package kafka
