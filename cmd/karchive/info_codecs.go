package main

import (
	"cmp"
	"slices"

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

// topicCodecs is the same of one topic.
func (info *archiveInfo) topicCodecs(name string) origin.Codecs {
	if i := slices.IndexFunc(info.Topics, func(t origin.Topic) bool { return t.Name == name }); i >= 0 {
		return info.Topics[i].Codecs
	}
	return nil
}
