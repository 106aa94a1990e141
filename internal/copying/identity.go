package copying

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/reshaping"
)

// The names that a capture's plan gives options that shape what is written.
const (
	planCompression   = "compression"
	planRotateBytes   = "rotate bytes"
	planRotateRecords = "rotate records"
	planSteps         = "steps"
)

// rulesOf identifies what left records out: the rules of all inputs, and new ones. The new ones are salted with the id of the first input,
// so that the same copy is made of the same bytes each time.
func rulesOf(old []string, r reshaping.Reshaper, inputs []Input) string {
	all := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(old))), func(s string) bool { return s == "" })
	if r != nil {
		all = append(all, r.Rules(inputs[0].Archive.Identity().ArchiveID))
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return ondisk.Digest([]byte(strings.Join(all, "\n")))
}

// capture reads how the inputs were written out of their plans, as far as they agree.
func (p *plan) capture(inputs []Input) (err error) {
	if p.compression, err = compressionOf(inputs); err != nil {
		return err
	}
	for i, to := range []*int64{&p.rotateBytes, &p.rotateRecords} {
		text := agreed(inputs, []string{planRotateBytes, planRotateRecords}[i])
		if text == "" {
			continue
		}
		if *to, err = strconv.ParseInt(text, 10, 64); err != nil || *to < 0 {
			return fmt.Errorf("%s: its plan has %q for %s", inputs[0].Name, text, []string{planRotateBytes, planRotateRecords}[i])
		}
	}
	return nil
}

func compressionOf(inputs []Input) (c format.Compression, err error) {
	if c, err = format.ParseCompression(option(inputs[0], planCompression)); err != nil {
		err = fmt.Errorf("%s: compression of its capture: %w", inputs[0].Name, err)
	}
	return c, err
}

func option(in Input, name string) string {
	plan := in.Archive.Identity().Capture
	if plan == nil {
		return ""
	}
	return plan.Options[name]
}

// agreed is an option of all plans; empty where they differ.
func agreed(inputs []Input, name string) string {
	text := option(inputs[0], name)
	for _, in := range inputs[1:] {
		if option(in, name) != text {
			return ""
		}
	}
	return text
}

// Identity is what a new archive says of itself that Run copies the inputs into: the topics that are selected, and as its plan what the inputs
// were to hold of them. Errors are those of Run.
func Identity(inputs []Input, o Options) (format.Identity, error) {
	p, err := newPlan(inputs, o)
	if err != nil {
		return format.Identity{}, err
	}
	id := inputs[0].Archive.Identity()
	id.Encoding = cmp.Or(o.Encoding, id.Encoding)
	id.Topics, id.Capture, id.Groups, id.Schemas, id.Pruned = nil, nil, nil, nil, nil
	topics, ranges := map[string]described{}, map[format.TopicPartition]origin.PlanRange{}
	for i := range inputs {
		in := &inputs[i]
		if in.Archive.Identity().ClusterID != id.ClusterID {
			id.ClusterID = "" // the segments say it
		}
		if err := addTopics(&id, in, topics); err != nil {
			return id, err
		}
		if id.Schemas, err = origin.MergeSchemas(id.Schemas, in.Archive.Identity().Schemas); err != nil {
			return id, fmt.Errorf("%s and those before it: %w", in.Name, err)
		}
		if id.Capture, err = addPlan(id.Capture, in, o.Window, ranges); err != nil {
			return id, err
		}
		if err := addGroups(&id, in); err != nil {
			return id, err
		}
		if err := p.addPruned(&id, in, o.Window.FromOffset); err != nil {
			return id, err
		}
	}
	for _, t := range topics {
		id.Topics = append(id.Topics, t.Topic)
	}
	if id.Capture != nil {
		id.Capture.Partitions = slices.Collect(maps.Values(ranges))
		p.describe(id.Capture, inputs, o)
	}
	return id, nil
}

// addPruned adds what was pruned of an input and of which the new archive has nothing from another one.
func (p *plan) addPruned(id *format.Identity, in *Input, from int64) error {
	for _, one := range in.Archive.Identity().Pruned {
		if in.Takes != nil && !in.Takes(format.TopicPartition{Topic: one.Topic, Partition: one.Partition}) {
			continue
		}
		topic, err := in.rename(one.Topic)
		if err != nil {
			return err
		}
		one.Topic = topic
		i := slices.IndexFunc(p.partitions, func(q *partition) bool { return q.tp.Topic == topic && q.tp.Partition == one.Partition })
		if i < 0 {
			continue
		}
		one.From, one.Until = max(one.From, from), min(one.Until, p.partitions[i].from)
		known := origin.FindPruned(id.Pruned, topic, one.Partition)
		switch {
		case one.From >= one.Until:
		case known != nil:
			known.From, known.Until = min(known.From, one.From), max(known.Until, one.Until)
		default:
			id.Pruned = origin.SortedPruned(append(id.Pruned, one))
		}
	}
	return nil
}

// described is a topic, and which input described it.
type described struct {
	origin.Topic
	input string
}

func addTopics(id *format.Identity, in *Input, topics map[string]described) error {
	for _, t := range in.Archive.Identity().Topics {
		if !in.takesTopic(t) {
			continue
		}
		name, err := in.rename(t.Name)
		if err != nil {
			return err
		}
		t.Name = name
		known, twice := topics[name]
		switch {
		case !twice:
			topics[name] = described{t, in.Name}
			continue
		case known.ID != t.ID:
			reason := fmt.Sprintf("one has the topic id %s, the other %s", orUnknown(known.ID), orUnknown(t.ID))
			return &SourceError{name, [2]string{known.input, in.Name}, reason}
		}
		known.Partitions, known.Codecs = max(known.Partitions, t.Partitions), known.Codecs.Plus(t.Codecs)
		topics[name] = known
	}
	return nil
}

// takesTopic says whether any partition of a topic is selected.
func (in *Input) takesTopic(t origin.Topic) bool {
	if in.Takes == nil {
		return true
	}
	for n := range max(t.Partitions, 1) {
		if in.Takes(format.TopicPartition{Topic: t.Name, Partition: n}) {
			return true
		}
	}
	return false
}

// addPlan adds what an input was to hold, as far as it is selected, to a plan, which is nil at first.
func addPlan(to *origin.Plan, in *Input, w format.Selection, ranges map[format.TopicPartition]origin.PlanRange) (*origin.Plan, error) {
	plan := in.Archive.Identity().Capture
	if plan == nil {
		return to, nil
	}
	if to == nil {
		to = plan
	} else if plan.Mode != to.Mode {
		to.Mode = origin.ModeSnapshot
	}
	for _, r := range plan.Partitions {
		if in.Takes != nil && !in.Takes(format.TopicPartition{Topic: r.Topic, Partition: r.Partition}) {
			continue
		}
		topic, err := in.rename(r.Topic)
		if err != nil {
			return nil, err
		}
		r.Topic = topic
		if clipRange(&r, w) {
			addRange(ranges, r)
		}
	}
	return to, nil
}

// clipRange bounds a planned range by the offsets of a window, and says whether that leaves anything.
func clipRange(r *origin.PlanRange, w format.Selection) bool {
	empty := r.Start == r.End
	r.Start = max(r.Start, w.FromOffset)
	if w.UntilOffset != 0 && (r.End == -1 || r.End > w.UntilOffset) {
		r.End = max(r.Start, w.UntilOffset)
	}
	return r.End == -1 || r.Start < r.End || empty && r.Start == r.End
}

func addRange(ranges map[format.TopicPartition]origin.PlanRange, r origin.PlanRange) {
	tp := format.TopicPartition{Topic: r.Topic, Partition: r.Partition}
	if known, ok := ranges[tp]; ok {
		r.Start = min(r.Start, known.Start)
		if r.End = max(r.End, known.End); known.End == -1 {
			r.End = -1
		}
	}
	ranges[tp] = r
}

// describe writes into a plan how what it planned is written now.
func (p *plan) describe(to *origin.Plan, inputs []Input, o Options) {
	if to.Options == nil {
		to.Options = map[string]string{}
	}
	options := to.Options // a copy already, as all of an Identity
	if o.Compression != nil {
		options[planCompression] = string(*o.Compression)
	} else if options[planCompression] != "" {
		options[planCompression] = string(p.compression)
	}
	if o.RotateBytes > 0 {
		options[planRotateBytes], options[planRotateRecords] = fmt.Sprint(o.RotateBytes), "0"
	}
	var old []string
	for _, in := range inputs {
		if plan := in.Archive.Identity().Capture; plan != nil {
			old = append(old, plan.Rules)
		}
	}
	to.Rules = rulesOf(old, o.Reshape, inputs)
	if o.Reshape != nil {
		options[planSteps] = strings.Join(slices.DeleteFunc([]string{options[planSteps], o.Reshape.Steps()}, func(s string) bool { return s == "" }), ", ")
	}
}
