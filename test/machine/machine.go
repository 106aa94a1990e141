// Package machine says on what a measurement was made: its figures are of that processor, and only their ratios mean something elsewhere.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// String names the processor and what else figures depend on.
func String() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // not on every system
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", processor(string(info)), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// processor finds the model in /proc/cpuinfo, which names it in another way on each architecture, and a cloud often hides it: the numbers
// of family and model then tell two of one name apart.
func processor(cpuinfo string) string {
	fields := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		name, value, found := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if _, known := fields[name]; found && !known && value != "" {
			fields[name] = value
		}
	}
	switch name := firstOf(fields, "model name", "Model", "cpu model", "Hardware", "cpu", "uarch"); {
	case name != "" && fields["cpu family"] != "" && fields["model"] != "":
		return fmt.Sprintf("%s (family %s, model %s)", name, fields["cpu family"], fields["model"])
	case name != "":
		return name
	case fields["CPU part"] != "":
		return fmt.Sprintf("implementer %s, part %s", fields["CPU implementer"], fields["CPU part"])
	}
	return "unknown processor"
}

func firstOf(fields map[string]string, names ...string) string {
	for _, n := range names {
		if v := fields[n]; v != "" {
			return v
		}
	}
	return ""
}
