package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

const (
	groupRefresh = 10 * time.Second // how often the group looks out for new partitions
	adoptPause   = time.Second      // between two attempts to begin with partitions

	leavePatience = 3 * time.Second // for the group to let a member go
)

// membership is the assignment of a run that shares the partitions with others. The client is there for the group's protocol alone: all
// its fetching is paused, and the lanes are fed by the source as in every run. Its methods are safe for concurrent use.
type membership struct {
	run     *run
	member  *group.Member
	topics  []string // selected at the beginning
	opts    []kgo.Opt
	client  *kgo.Client
	quit    context.CancelFunc // ends what client waits for
	offsets *groupOffsets

	mu      sync.Mutex // guards what follows
	tenures map[format.TopicPartition]*tenure
	counts  group.Handed
	over    bool // no partition is begun with any more
}

// newMembership is for what p plans.
func newMembership(r *run, connectTo []kgo.Opt, p *plan) *membership {
	s, id := r.settings, r.archive.Identity().ArchiveID
	m := &membership{run: r, member: &s.Member, tenures: map[format.TopicPartition]*tenure{}}
	var tps []format.TopicPartition
	for _, w := range p.work {
		tps = append(tps, w.tp)
	}
	m.topics = topicsOf(tps)
	m.offsets = newGroupOffsets(r.cluster, &s.Member, id)
	m.opts = append(slices.Clone(connectTo), m.options(id)...)
	return m
}

func (m *membership) options(archiveID string) []kgo.Opt {
	s := m.member
	opts := []kgo.Opt{
		kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(m.topics...), kgo.DisableAutoCommit(), kgo.MetadataMaxAge(groupRefresh),
		kgo.OnPartitionsAssigned(m.assigned), kgo.OnPartitionsRevoked(m.revoked), kgo.OnPartitionsLost(m.lost),
	}
	opts = append(opts, groupTimeouts(s)...)
	if s.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(s.InstanceID))
	}
	for _, o := range balancersOf(s, archiveID) {
		opts = append(opts, o)
	}
	return opts
}

func (m *membership) begin(*plan) {
	m.run.lanes.Add(1) // the client calls back at once, before those below are counted
	defer m.run.lanes.Done()
	ctx, quit := context.WithCancel(context.Background())
	client, err := kgo.NewClient(append(m.opts, kgo.WithContext(ctx))...)
	if err != nil {
		quit()
		m.run.fail(fmt.Errorf("join group %s: %w", m.member.Group, err))
		return
	}
	client.PauseFetchTopics(m.topics...)
	m.client, m.quit = client, quit
	m.run.lanes.Go(m.attend)
	m.run.lanes.Go(m.listen)
}

// attend commits what is sealed, until nothing more is fetched.
func (m *membership) attend() {
	tick := time.NewTicker(commitInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.offsets.commit(m.client)
		case <-m.run.fetching.Done():
			m.mu.Lock()
			defer m.mu.Unlock()
			m.over = true
			return
		}
	}
}

// listen hears what the group answers when it does not go well. No records come.
func (m *membership) listen() {
	for {
		got := m.client.PollFetches(m.run.fetching)
		if m.run.fetching.Err() != nil || got.IsClientClosed() {
			return
		}
		got.EachError(func(_ string, _ int32, err error) {
			if session, ok := errors.AsType[*kgo.ErrGroupSession](err); ok {
				m.refused(session.Err)
			}
		})
	}
}

// refused ends the capture, or notes what may pass.
func (m *membership) refused(err error) {
	err = &group.Error{Group: m.member.Group, Err: err}
	if isFinalAnswer(err) {
		m.run.fail(err)
		return
	}
	m.run.unadopt(err)
}

// assigned begins with partitions. It is called by the client, which goes on when it returns.
func (m *membership) assigned(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return
	}
	var fresh []*tenure
	for _, tp := range m.selected(partitions) {
		before := m.tenures[tp]
		if before != nil && !before.isOver() {
			continue // it stays
		}
		t := newTenure(tp, before)
		m.tenures[tp] = t
		fresh = append(fresh, t)
	}
	m.counts.Assigned += len(fresh)
	m.run.lanes.Go(func() { m.take(fresh) })
}

// selected lists partitions, but for those that the capture leaves out.
func (m *membership) selected(partitions map[string][]int32) (tps []format.TopicPartition) {
	wanted := m.run.settings.Partitions
	for topic, numbers := range partitions {
		for _, n := range numbers {
			if len(wanted) == 0 || slices.Contains(wanted, n) {
				tps = append(tps, format.TopicPartition{Topic: topic, Partition: n})
			}
		}
	}
	slices.SortFunc(tps, format.TopicPartition.Compare)
	return tps
}

// take has lanes begin, when those that had the same partitions before have ended.
func (m *membership) take(all []*tenure) {
	for _, t := range all {
		if t.before != nil {
			<-t.before.gone
			t.before = nil
		}
	}
	for {
		all = m.current(all)
		works, err := m.adopt(all)
		m.run.unadopt(err)
		if err == nil {
			m.start(works)
			return
		}
		if isFinal(err) || isA[*MismatchError](err) {
			m.run.fail(err)
		}
		if kafka.Pause(m.run.fetching, adoptPause) != nil {
			m.dismiss(all)
			return
		}
		if apart := byTopic(all); len(apart) > 1 { // so that one does not wait for what another one lacks
			for _, some := range apart {
				m.run.lanes.Go(func() { m.take(some) })
			}
			return
		}
	}
}

func byTopic(all []*tenure) map[string][]*tenure {
	apart := map[string][]*tenure{}
	for _, t := range all {
		apart[t.tp.Topic] = append(apart[t.tp.Topic], t)
	}
	return apart
}

// current are those that have not ended meanwhile.
func (m *membership) current(all []*tenure) []*tenure {
	return slices.DeleteFunc(all, func(t *tenure) bool {
		over := t.isOver()
		if over {
			close(t.gone)
		}
		return over
	})
}

func (m *membership) dismiss(all []*tenure) {
	for _, t := range all {
		close(t.gone)
	}
}

// adopt says where to begin with partitions.
func (m *membership) adopt(all []*tenure) ([]work, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var tps []format.TopicPartition
	for _, t := range all {
		tps = append(tps, t.tp)
	}
	r := m.run
	found, err := r.cluster.within(briefly).Describe(r.fetching, topicsOf(tps))
	if err != nil {
		return nil, err
	}
	for topic, t := range found.Topics {
		if t.Err != nil {
			return nil, fmt.Errorf("topic %s: %w", topic, t.Err)
		}
	}
	works, err := r.adopt(r.fetching, found, tps)
	if err != nil {
		return nil, err
	}
	r.source.learn(found)
	for i, t := range all {
		works[i].tenure = t
	}
	return works, nil
}

func (m *membership) start(works []work) {
	r := m.run
	for _, w := range works {
		r.enlist(w)
		m.offsets.sealed(w.tp, w.from)
		r.lanes.Go(func() {
			defer close(w.tenure.gone)
			defer r.progress.leave(w)
			r.take(w)
		})
	}
}

// revoked returns when partitions are sealed, or when there is no time left for it: then another member gets them.
func (m *membership) revoked(_ context.Context, client *kgo.Client, partitions map[string][]int32) {
	given := m.release(partitions, false)
	if len(given) == 0 {
		return
	}
	if !gone(given, m.member.RebalanceTimeout/4*3) {
		m.release(partitions, true)
	}
	m.offsets.commit(client)
	m.offsets.forget(given)
}

// gone waits until nothing more is done with partitions, and says whether that came in time.
func gone(all []*tenure, within time.Duration) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	for _, t := range all {
		select {
		case <-t.gone:
		case <-late.C:
			return false
		}
	}
	return true
}

func (m *membership) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	m.offsets.forget(m.release(partitions, true))
}

// release gives partitions up. Their lanes seal what there is, unless they are lost.
func (m *membership) release(partitions map[string][]int32, lost bool) (given []*tenure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, tp := range m.selected(partitions) {
		t := m.tenures[tp]
		if t == nil {
			continue
		}
		switch {
		case t.isOver() || m.over: // it has ended by itself
		case lost:
			m.counts.Lost++
		default:
			m.counts.Revoked++
		}
		t.giveUp(lost)
		given = append(given, t)
	}
	return given
}

// look has the group share out topics that came into being, and finds others who are in it.
func (m *membership) look(found *kafka.Metadata) {
	if m.member.Protocol == group.Consumer {
		m.lookForStrangers(found)
	}
	fresh := slices.DeleteFunc(m.run.selectedTopics(found), func(topic string) bool { return slices.Contains(m.topics, topic) })
	if len(fresh) == 0 {
		return
	}
	m.topics = append(m.topics, fresh...)
	if m.client == nil { // it could not join
		return
	}
	m.client.PauseFetchTopics(fresh...)
	m.client.AddConsumeTopics(fresh...)
}

// end leaves the group. All that is sealed is committed before; a static member only goes silent.
func (m *membership) end() {
	if m.client == nil {
		return
	}
	m.offsets.commit(m.client)
	if err := m.offsets.uncommitted(); err != nil {
		m.run.warnf("group %s lacks offsets of what is sealed: %v", m.member.Group, err)
	}
	m.offsets.close()
	m.leave()
	m.quit()
	m.client.CloseAllowingRebalance()
}

// leave leaves the group. A client that joins at this moment waits until all others have joined, and only then leaves; so the group is told that it is gone.
// Who cannot leave in time is missed after its session.
func (m *membership) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	if m.client.LeaveGroupContext(ctx) == nil || m.member.InstanceID != "" || m.member.Protocol == group.Consumer {
		return
	}
	member, _ := m.client.GroupMetadata()
	if member == "" {
		return
	}
	ctx, cancel = context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	_ = m.run.cluster.LeaveGroup(ctx, m.member.Group, member)
}

func (m *membership) sealed(tp format.TopicPartition, next int64) { m.offsets.sealed(tp, next) }

func (m *membership) handed() *group.Handed {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := m.counts
	return &counts
}
