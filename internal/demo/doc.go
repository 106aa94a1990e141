// Package demo has what a demonstration needs and a user lacks: Kafka clusters in the process, traffic like that of a shop, and a
// comparison of two archives record by record.
package demo
