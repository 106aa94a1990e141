package format

import (
	"fmt"
	"strings"
)

// claimTopics refuses an identity with a topic that would share its directory with another one.
func (w *archiveWriter) claimTopics(id Identity) error {
	for _, t := range id.Topics {
		if err := w.claimTopic(t.Name); err != nil {
			return err
		}
	}
	if id.Capture == nil {
		return nil
	}
	for _, r := range id.Capture.Partitions {
		if err := w.claimTopic(r.Topic); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiveWriter) claimTopic(topic string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.ToLower(topic)
	if other, ok := w.topics[key]; ok && other != topic && w.foldsCase {
		return fmt.Errorf("topic %s and topic %s: %w, and this file system would put both into one directory", other, topic, errTopicCase)
	}
	w.topics[key] = topic
	return nil
}

func (a *Archive) claimAllTopics() error {
	for tp := range a.segments {
		if err := a.writer.claimTopic(tp.Topic); err != nil {
			return err
		}
	}
	return a.writer.claimTopics(a.identity)
}
