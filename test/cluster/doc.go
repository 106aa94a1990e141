// Package cluster tests captures and replays on three real brokers that are killed and come back, one after the other.
package cluster
