package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/semaphore"
)

// The limits of requests.
const (
	smallRequest   = 64 << 10 // taken without asking for room
	largestRequest = 2 << 20
	largestProduce = 32 << 20
	requestRoom    = 64 << 20 // for all requests that are not small
	frameTimeout   = 30 * time.Second
)

var errRequest = errors.New("not a request of Kafka's protocol")

// request is what a client asks.
type request struct {
	frame       []byte // with its length in front
	key         kmsg.Key
	version     int16
	correlation int32
	message     kmsg.Request
	room        int64 // to give back
}

// requests reads requests, so many bytes of all clients together at once.
type requests struct{ room *semaphore.Weighted }

// read reads the next request. A client that stops in the middle of one is given up.
func (q *requests) read(ctx context.Context, c net.Conn) (r *request, err error) {
	var head [6]byte // length and key
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	r = &request{key: kmsg.Key(binary.BigEndian.Uint16(head[4:]))}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if most := r.most(); size < 8 || size > most {
		return nil, fmt.Errorf("%w: it has %d bytes, of at most %d", errRequest, size, most)
	}
	if size > smallRequest {
		if err := q.room.Acquire(ctx, size); err != nil {
			return nil, err
		}
		r.room = size
	}
	c.SetReadDeadline(time.Now().Add(frameTimeout))
	defer c.SetReadDeadline(time.Time{})
	frame := bytes.NewBuffer(append(make([]byte, 0, min(size+4, smallRequest)), head[:]...))
	if _, err = io.CopyN(frame, c, size-2); err == nil {
		r.frame = frame.Bytes()
		err = r.parse()
	}
	if err != nil {
		q.done(r)
		return nil, err
	}
	return r, nil
}

// done gives back the room of a request.
func (q *requests) done(r *request) { q.room.Release(r.room) }

func (r *request) most() int64 {
	if r.key == kmsg.Produce {
		return largestProduce
	}
	return largestRequest
}

// parse reads the frame. The embedded broker trusts what reaches it, so all must be well-formed here.
func (r *request) parse() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errRequest, p)
		}
	}()
	in := kbin.Reader{Src: r.frame[4:]}
	in.Int16()
	r.version, r.correlation = in.Int16(), in.Int32()
	in.NullableString()
	r.message = kmsg.RequestForKey(int16(r.key))
	if r.message == nil || r.version < 0 || r.version > r.message.MaxVersion() && r.key != kmsg.ApiVersions {
		return fmt.Errorf("%w: key %d, version %d", errRequest, r.key, r.version)
	}
	r.message.SetVersion(r.version)
	if r.message.IsFlexible() {
		kmsg.SkipTags(&in)
	}
	if !in.Ok() {
		return errRequest
	}
	if r.version > r.message.MaxVersion() {
		return nil // of versions: the answer says which there are
	}
	return r.message.ReadFrom(in.Src)
}

// answer appends a response in its frame.
func answer(to []byte, correlation int32, response kmsg.Response) []byte {
	to = append(to, 0, 0, 0, 0, 0, 0, 0, 0)
	if response.IsFlexible() && kmsg.Key(response.Key()) != kmsg.ApiVersions {
		to = append(to, 0) // no tags
	}
	to = response.AppendTo(to)
	binary.BigEndian.PutUint32(to, uint32(len(to)-4))
	binary.BigEndian.PutUint32(to[4:], uint32(correlation))
	return to
}

// question makes a frame of a request.
func question(message kmsg.Request, correlation int32) []byte {
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("karchive"))
	return f.AppendRequest(nil, message, correlation)
}
