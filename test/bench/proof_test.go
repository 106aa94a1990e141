//go:build unix

package main

import (
	"bytes"
	"testing"
)

func TestEveryFaultOfTheProofHasItsPlace(t *testing.T) {
	for _, f := range faults {
		path, source, err := f.plant("../..")
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if !bytes.Contains(source, []byte(f.new)) {
			t.Errorf("%s: %s has no fault planted", f.name, path)
		}
	}
}
