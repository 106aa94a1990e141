package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// NotMadeError is returned when the cluster does not make a topic.
type NotMadeError struct {
	Topic string
	Err   error
}

func (e *NotMadeError) Error() string { return fmt.Sprintf("create topic %s: %v", e.Topic, e.Err) }

func (e *NotMadeError) Unwrap() error { return e.Err }

// CreateTopics makes topics, or with onlyValidate asks whether they could be made. Topics that are there by now are no error. Each is
// answered once in what it returns. The error of a topic that is not made is a *NotMadeError.
func (c *Cluster) CreateTopics(ctx context.Context, topics []kmsg.CreateTopicsRequestTopic, onlyValidate bool) ([]kmsg.CreateTopicsResponseTopic, error) {
	var made []kmsg.CreateTopicsResponseTopic
	open := topics
	err := c.Retry(ctx, "create topics", func(ctx context.Context) error {
		if len(open) == 0 {
			return nil
		}
		answered, err := c.createTopics(ctx, open, onlyValidate)
		if err != nil {
			return err
		}
		done := map[string]bool{}
		var passing error
		for _, t := range answered {
			err := madeError(&t)
			switch {
			case err == nil:
				made, done[t.Topic] = append(made, t), true
			case Retriable(err):
				passing = err
			default:
				return err
			}
		}
		open = missing(open, done)
		return passing
	})
	if not, ok := errors.AsType[*NotMadeError](err); ok {
		if late, ok := errors.AsType[*TimeoutError](err); ok {
			return made, &NotMadeError{not.Topic, &TimeoutError{late.Step, late.For, not.Err}}
		}
		return made, not
	}
	return made, err
}

func missing(topics []kmsg.CreateTopicsRequestTopic, done map[string]bool) (open []kmsg.CreateTopicsRequestTopic) {
	for _, t := range topics {
		if !done[t.Topic] {
			open = append(open, t)
		}
	}
	return open
}

// createTopics asks the controller. The client would look for it by itself, but also ask again by rules of its own.
func (c *Cluster) createTopics(ctx context.Context, topics []kmsg.CreateTopicsRequestTopic, onlyValidate bool) ([]kmsg.CreateTopicsResponseTopic, error) {
	m, err := c.describe(ctx, []string{})
	if err != nil {
		return nil, err
	}
	if m.Controller < 0 {
		return nil, kerr.NotController
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.ValidateOnly, req.TimeoutMillis = topics, onlyValidate, int32(c.patience.Milliseconds())
	answer, err := c.askBroker(ctx, m.Controller, req)
	if err != nil {
		return nil, err
	}
	return answer.(*kmsg.CreateTopicsResponse).Topics, nil
}

func madeError(t *kmsg.CreateTopicsResponseTopic) error {
	err := kerr.ErrorForCode(t.ErrorCode)
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) { // someone else made it meanwhile, or an attempt whose answer was lost
		return nil
	}
	if t.ErrorMessage != nil && *t.ErrorMessage != "" {
		err = fmt.Errorf("%w (%s)", err, *t.ErrorMessage)
	}
	return &NotMadeError{Topic: t.Topic, Err: err}
}
