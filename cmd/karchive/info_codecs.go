package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/karchive/karchive/format/origin"
)

// sourceCodecs is what the batches of the topics that are shown were compressed with at the source.
func (info *archiveInfo) sourceCodecs() origin.Codecs {
	var sum origin.Codecs
	for _, t := range info.Topics {
		if _, shown := slices.BinarySearchFunc(info.ByTopic, t.Name, func(t topicInfo, name string) int { return cmp.Compare(t.Topic, name) }); shown {
			sum = sum.Plus(t.Codecs)
		}
	}
	return sum
}

// codecsText has the shares of codecs, the largest first; empty: nothing is known.
func codecsText(c origin.Codecs) string {
	var total float64
	for _, bytes := range c {
		total += float64(bytes)
	}
	if total == 0 {
		return ""
	}
	var parts []string
	for _, name := range c.ByBytes() {
		if c[name] > 0 {
			parts = append(parts, shareText(name, float64(c[name])/total))
		}
	}
	return strings.Join(parts, ", ")
}

func shareText(name string, share float64) string {
	switch {
	case share == 1:
		return name
	case share < 0.01:
		return name + " <1 %"
	}
	return fmt.Sprintf("%s %.0f %%", name, 100*share)
}
