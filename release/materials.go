package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// cyclonedx reads what the linker wrote into a binary: the modules that are really in it.
const cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

// writeMaterials writes the bill of materials of a binary, in the form of CycloneDX. It has neither a time nor a number of its own, which
// would differ from one build to the next.
func (r *release) writeMaterials(ctx context.Context, dir string, p platform, binary string) error {
	file := filepath.Join(dir, r.name(p)+".cdx.json")
	cmd := exec.CommandContext(ctx, "go", "run", cyclonedx, "bin", "-json", "-std", "-licenses", "-noserial", "-notimestamp",
		"-version", r.version, "-output", file, binary)
	cmd.Dir = r.source
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make bill of materials: %w\n%s", err, out)
	}
	return nil
}
