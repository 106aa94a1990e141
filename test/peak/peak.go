// Package peak measures memory: that of child processes, where there is a /proc (elsewhere every peak is 0), and what a function allocates.
package peak

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// interval is how often a process is looked at: what it takes less often than that for is missed only at its very end.
const interval = 5 * time.Millisecond

// Watch reads the high-water mark of the resident memory of process pid, in bytes, until ended gives the result of waiting for it,
// which it returns too. What the kernel says of an ended child would not do: that counts the pages which the child shared with its
// parent before it ran its program.
func Watch(pid int, ended <-chan error) (peak int64, err error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return peak, err
		case <-tick.C:
			peak = max(peak, highWater(pid))
		}
	}
}

// highWater is VmHWM of a process in bytes, 0 when it has ended.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, " kB")
	kib, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kib << 10
}
