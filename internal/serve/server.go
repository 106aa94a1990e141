package serve

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"golang.org/x/sync/semaphore"
)

// Server is a broker that serves archives. Its methods are safe for concurrent use.
type Server struct {
	options  Options
	topics   topics
	listener net.Listener
	inner    *inner
	broker   *kfake.Cluster
	dir      string // of the embedded broker
	cache    *cache
	activity *activity

	requests  requests
	responses answerRoom
	standIn   []byte // for what is sent from where it is held; see splice
	running   sync.WaitGroup
	ctx       context.Context
	cancel    context.CancelFunc
	close     func() error
}

// Start makes a Server that takes connections when Start returns. Close must be called.
func Start(o Options) (_ *Server, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{options: o, activity: newActivity(), cache: newCache(o.CacheBytes, o.OnTrouble),
		requests: requests{semaphore.NewWeighted(requestRoom)}, responses: newAnswerRoom(o.ResponseBytes)}
	s.standIn = make([]byte, standInBytes)
	rand.Read(s.standIn)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.close = sync.OnceValue(s.shut)
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.topics, err = newTopics(o.Sources); err != nil {
		return nil, err
	}
	if s.listener, err = o.Listener("tcp", o.Listen); err != nil {
		return nil, err
	}
	if o.TLS != nil {
		s.listener = tls.NewListener(s.listener, o.TLS)
	}
	if err := s.embed(); err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	if o.paced() {
		s.pace()
	}
	s.running.Go(s.accept)
	return s, nil
}

// pace begins with the schedule. Until then nothing of it can be read.
func (s *Server) pace() {
	p := newPacer(&s.options, &s.topics)
	s.running.Go(func() {
		if err := p.run(s.ctx); err != nil && s.ctx.Err() == nil {
			s.options.OnTrouble(fmt.Errorf("the schedule ends: %w", err))
		}
		s.activity.delivered()
	})
}

// Released says whether the schedule has come to its end, so that clients can read all there is.
func (s *Server) Released() bool {
	all := true
	s.topics.each(func(p *partition) { all = all && !p.scheduled.Load() })
	return all
}

// embed starts the embedded broker.
func (s *Server) embed() (err error) {
	if s.dir, err = os.MkdirTemp(s.options.TempDir, "karchive-serve-"); err != nil {
		return err
	}
	if err := s.topics.seed(s.dir, s.options.Sources[0].Archive.Identity().ClusterID); err != nil {
		return err
	}
	s.inner = newInner(advertised(s.options.Advertise, s.listener.Addr().String()))
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.DataDir(s.dir), kfake.EnableACLs(), kfake.MaxVersions(versions()), kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(1), kfake.ListenFn(func(string, string) (net.Listener, error) { return s.inner, nil })}
	if len(s.options.Users) > 0 {
		options = append(options, kfake.EnableSASL())
	}
	for _, u := range s.options.Users {
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			options = append(options, kfake.User(mechanism, u.Name, u.Password))
		}
	}
	s.broker, err = kfake.NewCluster(options...)
	return err
}

// advertised is the address that clients are told.
func advertised(host, listening string) string {
	if host == "" {
		return listening
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	_, port, _ := net.SplitHostPort(listening)
	return net.JoinHostPort(host, port)
}

// versions are those of a broker without what reads records in other ways than Fetch.
func versions() *kversion.Versions {
	v := kversion.V4_1_0()
	for _, key := range []kmsg.Key{kmsg.ShareGroupHeartbeat, kmsg.ShareGroupDescribe, kmsg.ShareFetch, kmsg.ShareAcknowledge} {
		v.SetMaxKeyVersion(int16(key), -1)
	}
	return v
}

// Addr is the address, host:port, that clients connect to.
func (s *Server) Addr() string { return s.inner.Addr().String() }

// Close ends all connections and the server, and returns when nothing of it runs any more.
func (s *Server) Close() error { return s.close() }

func (s *Server) shut() error {
	s.cancel()
	var errs []error
	if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	s.running.Wait()
	if s.broker != nil {
		s.broker.Close()
	}
	s.cache.close()
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// accept takes connections.
func (s *Server) accept() {
	room := make(chan struct{}, s.options.Connections)
	for {
		client, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.pause()
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			client.Close()
			continue
		}
		s.activity.opened()
		s.running.Go(func() {
			defer func() { s.activity.closed(); <-room }()
			c := &conn{Server: s, client: client}
			c.serve(s.ctx)
		})
	}
}

// pause waits until there may be room for a connection again.
func (s *Server) pause() {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-s.ctx.Done():
	}
}

// delivered says that all before an offset was sent to a client.
func (p *partition) delivered(next int64) { p.reached(next) }

// reached says that a client has all before an offset.
func (p *partition) reached(offset int64) {
	for {
		old := p.fetched.Load()
		if offset <= old || p.fetched.CompareAndSwap(old, offset) {
			return
		}
	}
}

// allDelivered says whether clients were sent all that there is.
func (s *Server) allDelivered() bool {
	all := true
	s.topics.each(func(p *partition) { all = all && (p.start == p.end || p.fetched.Load() >= p.watermark()) })
	return all && s.Released()
}

// AtEnd returns when clients were sent the end of every partition, and then have gone or had so long to go; or with the error of ctx.
func (s *Server) AtEnd(ctx context.Context, grace time.Duration) error {
	return s.until(ctx, func(begun bool, last, now time.Time, open int) time.Duration {
		switch {
		case !s.allDelivered():
			return -1
		case open == 0:
			return 0
		}
		return max(last.Add(grace).Sub(now), 0)
	})
}

// Idle returns when no client has read or written a record for a time, since the first one came; or with the error of ctx.
func (s *Server) Idle(ctx context.Context, quiet time.Duration) error {
	return s.until(ctx, func(begun bool, last, now time.Time, open int) time.Duration {
		if !begun {
			return -1
		}
		return max(last.Add(quiet).Sub(now), 0)
	})
}

// until waits until left says 0; below 0: until something happens.
func (s *Server) until(ctx context.Context, left func(begun bool, last, now time.Time, open int) time.Duration) error {
	for {
		begun, last, open, change := s.activity.look()
		wait := left(begun, last, time.Now(), open)
		if wait == 0 {
			return nil
		}
		var after <-chan time.Time
		if wait > 0 {
			after = time.After(wait)
		}
		select {
		case <-change:
		case <-after:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.ctx.Done():
			return net.ErrClosed
		}
	}
}

// Topics is how many archived topics are served.
func (s *Server) Topics() int { return len(s.topics.byName) }
