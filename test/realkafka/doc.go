// Package realkafka proves capture and replay against a real Apache Kafka: what a broker in memory cannot show, such as compaction,
// transactions and their markers, leader epochs, retention and the timestamps that brokers set. Its tests have the build tag kafka and
// run with `make test-kafka`.
//
// What a log holds is not taken from the client that capture uses: the tests read it with raw fetch requests and decode the record
// batches themselves.
package realkafka
