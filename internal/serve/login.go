package serve

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offer adds version 0 of SaslHandshake to the versions that there are: librdkafka looks for it before it logs in, as every Kafka has it, and
// then takes the highest one. The embedded broker has version 1 alone.
func offer(r *request, frame []byte) ([]byte, error) {
	const head = 8 // length and correlation id; the answer of versions has no tags behind them
	if len(frame) < head+2 {
		return nil, errors.New("an answer of the broker is too short")
	}
	if frame[head] != 0 || frame[head+1] != 0 {
		return frame, nil // an error, and that of a version which is not known is in another form than was asked for
	}
	response := r.message.ResponseKind().(*kmsg.ApiVersionsResponse)
	if err := response.ReadFrom(frame[head:]); err != nil {
		return nil, err
	}
	for i := range response.ApiKeys {
		if k := &response.ApiKeys[i]; kmsg.Key(k.ApiKey) == kmsg.SASLHandshake {
			k.MinVersion = 0
		}
	}
	return answer(nil, r.correlation, response), nil
}

// refuseLogin tells a client that it is not let in, where the embedded broker only hung up: clients take that for a broken line, and try again.
func (c *conn) refuseLogin(ctx context.Context, r *request) error {
	m, ok := r.message.(*kmsg.SASLAuthenticateRequest)
	if !ok || ctx.Err() != nil {
		return nil
	}
	response := m.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	response.ErrorCode = kerr.SaslAuthenticationFailed.Code
	response.ErrorMessage = kmsg.StringPtr("no such user, or another password")
	return c.reply(r, response)
}
