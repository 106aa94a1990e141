//go:build unix && !linux

package compare

// highWater is not known before a process has ended.
func highWater(int) int64 { return 0 }
