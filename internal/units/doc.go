// Package units reads and writes quantities as people type them: sizes, counts, durations, rates and lists of partitions.
package units
