package compare

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// members are the processes of a process group, and those that left it and have the mark in their environment.
func members(group int, mark string) (all []member) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		m, of, ok := look(pid)
		if !ok || of != group && !marked(pid, mark) {
			continue
		}
		m.left = of != group
		m.memory = highWater(pid)
		all = append(all, m)
	}
	return all
}

// tick is the unit of processor time in /proc.
const tick = 10 * time.Millisecond

// look finds a process; one that has ended and that nobody waited for is none.
func look(pid int) (m member, group int, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return m, 0, false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // state, parent, group, ...
	const users, last = 11, 14                                                // and the system's, and of children that it waited for
	if len(fields) <= last || fields[0] == "Z" {
		return m, 0, false
	}
	m.pid = pid
	for _, f := range fields[users : last+1] {
		ticks, _ := strconv.ParseInt(f, 10, 64)
		m.cpu += time.Duration(ticks) * tick
	}
	group, err = strconv.Atoi(fields[2])
	return m, group, err == nil
}

// marked says whether the mark is in the environment that a process was given.
func marked(pid int, mark string) bool {
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(environment, append([]byte(mark), 0))
}

// highWater is the most memory that a process has had, in bytes; 0 when it has ended.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	number, _, _ := strings.Cut(rest, " kB")
	kib, _ := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	return kib << 10
}
