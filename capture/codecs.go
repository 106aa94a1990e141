package capture

import (
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// codecBytes are canonical bytes of records, by the codec of the batches that they came in.
type codecBytes [attrCompression + 1]int64

var codecNames = map[kgo.CompressionCodecType]string{
	kgo.CodecNone: "none", kgo.CodecGzip: "gzip", kgo.CodecSnappy: "snappy", kgo.CodecLz4: "lz4", kgo.CodecZstd: "zstd",
}

func (b *codecBytes) named() origin.Codecs {
	named := origin.Codecs{}
	for codec, bytes := range b {
		if bytes > 0 {
			named[codecNames[kgo.CompressionCodecType(codec)]] = bytes
		}
	}
	return named
}

// topicsASeal is how many topics of the archive one sealed segment pays for: to describe all of them anew takes time for each. So a capture of many topics
// with a segment each describes the archive as often as it has this many topics, and not once a topic.
const topicsASeal = 64

// worthSaying is the part of what is known of a topic that has to be new before the archive is described for it. So a topic of which two codecs take turns in the
// lead costs a description for each eighth that it grows, and not one a segment, which in a store stay for ever.
const worthSaying = 8

// codecCounts adds up what the archive is to say of codecs (origin.Codecs). It says so when the codec of the most bytes of a topic is another than
// it says and the topic grew enough since, and at the end of the capture: a capture that is killed leaves shares that are older, and a codec that was
// right when it was written.
// It is kept beside the segments and not in them, because they depend on the records alone.
type codecCounts struct {
	mu    sync.Mutex
	known map[string]origin.Codecs // what the archive says, by topic
	fresh map[string]origin.Codecs // and does not say yet
	seals int                      // since it was described
	other bool                     // some topic has another codec than it says, by enough
}

func newCodecCounts(topics []origin.Topic) *codecCounts {
	c := &codecCounts{known: make(map[string]origin.Codecs, len(topics)), fresh: map[string]origin.Codecs{}}
	for _, t := range topics {
		c.known[t.Name] = t.Codecs
	}
	return c
}

// add counts the records of a sealed segment, and says whether the archive is to be described now.
func (c *codecCounts) add(topic string, bytes *codecBytes) (due bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seals++
	if named := bytes.named(); len(named) > 0 {
		c.fresh[topic] = c.fresh[topic].Plus(named)
		known, fresh := c.known[topic], c.fresh[topic]
		changed := known.Most(nil) != known.Plus(fresh).Most(nil)
		c.other = c.other || changed && fresh.Total() >= known.Total()/worthSaying
	}
	return c.other && c.seals*topicsASeal >= len(c.known)
}

// take hands over what the archive does not say yet.
func (c *codecCounts) take() map[string]origin.Codecs {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.fresh
	c.fresh, c.seals, c.other = map[string]origin.Codecs{}, 0, false
	return fresh
}

// describe adds what is fresh to what an archive says of topics.
func (c *codecCounts) describe(topics []origin.Topic, fresh map[string]origin.Codecs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range topics {
		t := &topics[i]
		t.Codecs = t.Codecs.Plus(fresh[t.Name])
		c.known[t.Name] = t.Codecs
	}
}

// count takes down what the records of a sealed segment were compressed with.
func (r *run) count(topic string, bytes *codecBytes) error {
	due := r.codecs.add(topic, bytes)
	*bytes = codecBytes{}
	if due {
		return r.keepCodecs()
	}
	return nil
}

// keepCodecs has the archive say what was counted.
func (r *run) keepCodecs() error {
	r.identity.Lock()
	defer r.identity.Unlock()
	fresh := r.codecs.take()
	if len(fresh) == 0 {
		return nil
	}
	err := amend(r.archive, func(id *format.Identity) error {
		r.codecs.describe(id.Topics, fresh)
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the codecs of topics: %w", err)
	}
	return nil
}
