package replay

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/karchive/karchive/internal/options"
)

// TransactionPrefix begins the transactional ids of replays; the replay's own id follows. It is what access rules name.
const TransactionPrefix = "karchive-replay-"

// replayIDPattern keeps ids short and free of the slash, which separates an id from a partition in the checkpoint topic.
var replayIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

// checkExactlyOnce refuses options that transactions cannot keep, and those that mean nothing without them.
func (o *Options) checkExactlyOnce() error {
	switch {
	case !o.ExactlyOnce && o.ReplayID != "":
		return options.New("give {ExactlyOnce}, too", "{ReplayID} is for {ExactlyOnce}")
	case !o.ExactlyOnce && o.Restart:
		return options.New("give {ExactlyOnce}, or begin with another {Checkpoint}", "{Restart} is for {ExactlyOnce}")
	case !o.ExactlyOnce:
		return nil
	case o.Acks != AcksAll:
		return options.New("with fewer the target may lose what it acknowledged", "{ExactlyOnce} needs {Acks} all")
	case o.Checkpoint != nil:
		return options.New("an exactly-once replay keeps its progress in the target, in topic "+CheckpointTopic, "{ExactlyOnce} and {Checkpoint} exclude each other")
	case o.TransactionTimeout < commitShare*o.CheckpointInterval:
		return options.New("", "a commit every %s is too rare for transactions that end after %s", o.CheckpointInterval, o.TransactionTimeout)
	case o.ReplayID != "" && !replayIDPattern.MatchString(o.ReplayID):
		return options.New("use 1 to 200 letters, digits, dots, underscores and hyphens", "%q is not a replay id", o.ReplayID)
	}
	return nil
}

// commitShare is how many commits fit at least into the time after which the target ends a transaction by itself.
const commitShare = 5

// errMoved says that another replay with the same id, or with that of other shards, made progress after this one had planned.
var errMoved = errors.New("the checkpoint moved while the replay was planned")

// errOvertaken says that the target took another producer with this id after the fence and before the first record. That may have been this
// very replay: the fence is asked for again when a connection breaks, and the first of the two requests can come last.
var errOvertaken = errors.New("fenced before the first record")

// claim makes this replay the only one with its id, and opens its first transaction. From the fence on no other can commit, so what the
// checkpoint topic says then stays true. If it is not what the plan was made from, the error is errMoved.
func (p *player) claim(ctx context.Context) error {
	if p.transactions == nil {
		return nil
	}
	topic := p.settings.topic
	if err := topic.create(ctx, p.settings.ReplicationFactor, false); err != nil {
		return err
	}
	if err := p.transactions.fence(ctx); err != nil {
		return err
	}
	planned := topic.Position
	topic.Fenced = true
	saved, err := topic.Load(ctx)
	if err != nil {
		return err
	}
	if topic.Position != planned || saved == nil && len(topic.Others) > 0 && !p.settings.Restart {
		return errMoved
	}
	return p.transactions.begin()
}

// identify gets the id that an idempotent producer needs, where its absence would only be found with the first record. Other troubles
// are left for that.
func (p *player) identify(ctx context.Context) error {
	if p.transactions != nil || p.settings.Acks != AcksAll {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.settings.ConnectTimeout)
	defer cancel()
	if _, _, err := p.client.ProducerID(ctx); errors.Is(err, kerr.ClusterAuthorizationFailed) {
		return &DeniedError{Resource: "the cluster", Operation: "IdempotentWrite", Err: err}
	}
	return nil
}

// open comes before the first record. What cannot be saved is known then.
func (p *player) open(ctx context.Context) error {
	if err := p.identify(ctx); err != nil {
		return err
	}
	if err := p.claim(ctx); err != nil {
		return err
	}
	err := p.save(ctx, false)
	if err != nil && p.transactions != nil {
		p.transactions.abort(ctx)
	}
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("%w: %w", errOvertaken, err)
	}
	return err
}

// checkpointTopic looks for what would make a replay forget its progress.
func (p *preflight) checkpointTopic() {
	if !p.options.ExactlyOnce {
		return
	}
	if slices.ContainsFunc(p.plan.Topics, func(t PlannedTopic) bool { return t.Target == CheckpointTopic }) {
		p.add(Finding{
			Code: "checkpoint-topic-target", Severity: refuse, Final: true, Topic: CheckpointTopic,
			What:        fmt.Sprintf("records of the archive go to %s, where the replay keeps its progress", CheckpointTopic),
			Consequence: "they could be taken for progress",
			Fix:         "map it to another name, or leave it out",
		})
	}
	topic := p.target.topics[CheckpointTopic]
	if topic.configs != nil && topic.configsErr == nil && (!isCompacted(topic.configs) || deletes(topic.configs)) {
		p.add(Finding{
			Code: "checkpoint-topic-cleanup", Severity: refuse, Final: true, Topic: CheckpointTopic,
			What:        fmt.Sprintf("topic %s has cleanup.policy=%s", CheckpointTopic, topic.configs["cleanup.policy"]),
			Consequence: "the target deletes progress that is old, and the replay would begin again",
			Fix:         "set cleanup.policy=compact on it",
		})
	}
}
