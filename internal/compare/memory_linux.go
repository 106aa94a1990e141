package compare

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// highWater is the most memory that a process, or a child of its first thread, and so on, has had, in bytes; 0 when it has ended.
func highWater(pid int) (most int64) {
	proc := fmt.Sprintf("/proc/%d", pid)
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	number, _, _ := strings.Cut(rest, " kB")
	kib, _ := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	most = kib << 10
	children, _ := os.ReadFile(fmt.Sprintf("%s/task/%d/children", proc, pid)) // not every kernel tells
	for _, child := range strings.Fields(string(children)) {
		if id, err := strconv.Atoi(child); err == nil {
			most = max(most, highWater(id))
		}
	}
	return most
}
