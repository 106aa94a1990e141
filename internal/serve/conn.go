package serve

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// writeTimeout is how long a client may take for a part of a response before it is given up, hurriedTimeout when there is little room for others.
const (
	writeTimeout   = 30 * time.Second
	hurriedTimeout = 3 * time.Second
	writePart      = 256 << 10
)

// conn is a client's connection. Requests are answered one after the other, in order, as Kafka does.
type conn struct {
	*Server
	client net.Conn
	broker net.Conn // to the embedded broker; nil: not needed so far
	// known says that the embedded broker answers to this client: it has logged in, if it must.
	known   bool
	hurried bool // the answer under way has room of which there is little
	out     []byte
}

// serve answers until the client or the server goes.
func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, c.close)()
	defer cancel()
	incoming := make(chan *request)
	c.running.Go(func() {
		defer cancel() // ends what waits for records or for others of a group
		defer close(incoming)
		c.receive(ctx, incoming)
	})
	for r := range incoming {
		err := c.handle(ctx, r)
		c.requests.done(r)
		if err != nil {
			break
		}
	}
	cancel()
	for r := range incoming {
		c.requests.done(r)
	}
	c.close()
	if c.broker != nil {
		c.broker.Close()
	}
}

func (c *conn) close() { c.client.Close() }

func (c *conn) receive(ctx context.Context, to chan<- *request) {
	for {
		r, err := c.requests.read(ctx, c.client)
		if err != nil {
			return
		}
		select {
		case to <- r:
		case <-ctx.Done():
			c.requests.done(r)
			return
		}
	}
}

// handle answers a request.
func (c *conn) handle(ctx context.Context, r *request) error {
	c.activity.request(r.key)
	switch r.key {
	case kmsg.Fetch, kmsg.ListOffsets, kmsg.OffsetForLeaderEpoch:
		if err := c.know(ctx); err != nil {
			return err
		}
	}
	switch m := r.message.(type) {
	case *kmsg.FetchRequest:
		return c.fetch(ctx, r, m)
	case *kmsg.ListOffsetsRequest:
		return c.listOffsets(ctx, r, m)
	case *kmsg.OffsetForLeaderEpochRequest:
		return c.leaderEpochs(ctx, r, m)
	}
	return c.pass(ctx, r)
}

// pass lets the embedded broker answer.
func (c *conn) pass(ctx context.Context, r *request) error {
	if p, ok := r.message.(*kmsg.ProduceRequest); ok && p.Acks == 0 {
		_, err := c.exchange(ctx, r.frame, false)
		return err // there is no answer
	}
	if refused := refuseHuge(r.message); refused != nil {
		return c.reply(r, refused)
	}
	frame, err := c.exchange(ctx, r.frame, true)
	if err != nil {
		return errors.Join(err, c.refuseLogin(ctx, r))
	}
	switch r.key {
	case kmsg.Metadata, kmsg.DescribeTopicPartitions, kmsg.CreateTopics:
		frame, err = c.patch(r, frame)
	case kmsg.ApiVersions:
		frame, err = offer(r, frame)
	}
	if err != nil {
		return err
	}
	return c.write(frame)
}

// exchange sends a frame to the embedded broker and returns the frame that it answers with.
func (c *conn) exchange(ctx context.Context, frame []byte, answered bool) ([]byte, error) {
	if c.broker == nil {
		broker, err := c.inner.dial(c.client.RemoteAddr())
		if err != nil {
			return nil, err
		}
		c.broker = broker
	}
	defer context.AfterFunc(ctx, func() { c.broker.Close() })()
	if _, err := c.broker.Write(frame); err != nil || !answered {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(c.broker, size[:]); err != nil {
		return nil, err
	}
	out := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(out, size[:])
	_, err := io.ReadFull(c.broker, out[4:])
	return out, err
}

// ask lets the embedded broker answer a request of our own.
func (c *conn) ask(ctx context.Context, message kmsg.Request) (kmsg.Response, error) {
	frame, err := c.exchange(ctx, question(message, 0), true)
	if err != nil {
		return nil, err
	}
	response := message.ResponseKind()
	return response, readAnswer(frame, response)
}

func readAnswer(frame []byte, response kmsg.Response) error {
	in := kbin.Reader{Src: frame[4:]}
	in.Int32()
	if response.IsFlexible() {
		kmsg.SkipTags(&in)
	}
	if !in.Ok() {
		return errors.New("an answer of the broker is too short")
	}
	return response.ReadFrom(in.Src)
}

// know finds out whether the embedded broker answers to this client.
func (c *conn) know(ctx context.Context) error {
	if c.known || len(c.options.Users) == 0 {
		return nil
	}
	m := kmsg.NewPtrMetadataRequest()
	m.SetVersion(1)
	m.Topics = []kmsg.MetadataRequestTopic{}
	if _, err := c.ask(ctx, m); err != nil {
		return fmt.Errorf("ask the broker: %w", err)
	}
	c.known = true
	return nil
}

// reply sends a response.
func (c *conn) reply(r *request, response kmsg.Response) error {
	const kept = 1 << 20
	c.out = answer(c.out[:0], r.correlation, response)
	err := c.write(c.out)
	if cap(c.out) > kept {
		c.out = nil
	}
	return err
}

// deliver sends the answer of a Fetch, its batches from where they are held.
func (c *conn) deliver(r *request, response *kmsg.FetchResponse, bodies []body) error {
	if len(bodies) == 0 {
		return c.reply(r, response)
	}
	const gathered = 16 << 10 // of small batches, so that each does not go alone
	out := bufio.NewWriterSize(writing(c.write), gathered)
	for _, part := range splice(answer(nil, r.correlation, response), c.standIn, bodies, response.IsFlexible()) {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writing is how bytes are written.
type writing func([]byte) error

func (w writing) Write(b []byte) (int, error) { return len(b), w(b) }

// write sends a frame, in parts, so that a slow client has time and one that reads nothing is given up.
func (c *conn) write(frame []byte) error {
	timeout := writeTimeout
	if c.hurried {
		timeout = hurriedTimeout
	}
	for len(frame) > 0 {
		c.client.SetWriteDeadline(time.Now().Add(timeout))
		n, err := c.client.Write(frame[:min(len(frame), writePart)])
		if err != nil {
			return err
		}
		frame = frame[n:]
	}
	return nil
}
