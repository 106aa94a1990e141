// Package kafkatest runs a real Apache Kafka on this machine for tests and benchmarks: one node in KRaft mode on 127.0.0.1, on ports
// that were free, with a bounded heap and a directory of its own. Several brokers run side by side, each its own cluster.
//
// A test calls [Start], which stops the broker when the test ends. A program calls [Run] and then [Broker.Stop]. On Linux a broker
// also dies with the process that started it, however that ends; elsewhere a killed test leaves its broker behind.
//
// Kafka comes from Maven Central once and is kept in the user's cache directory (see [Libs]); Java 17 and mvn must be installed.
// Nothing here runs in a plain `go test ./...`: tests that use it have the build tag kafka.
package kafkatest
