package serve

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	saslplain "github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/testpki"
)

func mechanisms(user, password string) []sasl.Mechanism {
	a := scram.Auth{User: user, Pass: password}
	return []sasl.Mechanism{plainAuth(user, password), a.AsSha256Mechanism(), a.AsSha512Mechanism()}
}

func plainAuth(user, password string) sasl.Mechanism {
	return (saslplain.Auth{User: user, Pass: password}).AsMechanism()
}

func dial(t testing.TB, s *Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// closed fails unless the server closes the connection.
func closed(t testing.TB, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, c); isTimeout(err) {
		t.Errorf("the connection is still open")
	}
}

func isTimeout(err error) bool {
	wait, ok := err.(net.Error)
	return ok && wait.Timeout()
}

func fetchOrders() *kmsg.FetchRequest {
	m := kmsg.NewPtrFetchRequest()
	m.SetVersion(11)
	m.MaxBytes = 1 << 20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = "orders"
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = 1<<20, -1
	rt.Partitions = append(rt.Partitions, rp)
	m.Topics = append(m.Topics, rt)
	return m
}

// rawFetch fetches on a new connection and returns why that failed.
func rawFetch(t testing.TB, s *Server) error {
	t.Helper()
	c := dial(t, s)
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(question(fetchOrders(), 1)); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 8))
	return err
}

// flip changes a byte in the middle of a row group of the first segment of a partition.
func flip(t testing.TB, a *format.Archive, fsys *memfs.FS, tp format.TopicPartition, group int) {
	t.Helper()
	segment := a.Segments(tp)[0]
	f, err := fsys.Open(segment.Path)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, segment.Size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	f.Close()
	for at := 4; at < len(b); at++ { // the first byte that harms that row group alone
		changed := bytes.Clone(b)
		changed[at] ^= 0x55
		replaceFile(t, fsys, segment.Path, changed)
		if harms(a, segment, group) {
			return
		}
	}
	t.Fatal("no byte is of that row group alone")
}

// harms says whether a row group of a segment cannot be read, and the first can.
func harms(a *format.Archive, segment format.Segment, group int) bool {
	d, err := a.Document(segment)
	if err != nil {
		return false
	}
	r := a.NewGroupReader(1)
	defer r.Close()
	_, wrong := r.Read(&format.Place{Segment: segment, Document: d, Index: group}, nil)
	_, other := r.Read(&format.Place{Segment: segment, Document: d}, nil)
	return wrong != nil && other == nil
}

func replaceFile(t testing.TB, fsys *memfs.FS, name string, content []byte) {
	t.Helper()
	f, err := fsys.Create(path.Join(path.Dir(name), "changed"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := fsys.Rename(path.Join(path.Dir(name), "changed"), name); err != nil {
		t.Fatal(err)
	}
}

func TestGarbageEndsAConnectionAndNothingElse(t *testing.T) {
	l := plain(orders0, 0, 30)
	a, _ := newArchive(t, l)
	s := serving(t, a)
	random := rand.New(rand.NewPCG(1, 2))
	frame := func(size uint32, content ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, size), content...)
	}
	noise := make([]byte, 200)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for name, sent := range map[string][]byte{
		"a huge length": frame(1<<31-1, 0, 1, 0, 11), "a negative length": frame(1<<32-1, 0, 1), "no length": frame(0, 0, 0, 0, 0), "TLS": []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"HTTP": []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "an unknown key": frame(10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff), "a version of the future": frame(10, 0, 1, 0x7f, 0, 0, 0, 0, 1, 0xff, 0xff),
		"a negative version": frame(10, 0, 3, 0xff, 0, 0, 0, 0, 1, 0xff, 0xff), "noise": frame(200, noise...), "half a request": question(fetchOrders(), 1)[:20],
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, s)
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
			closed(t, c)
		})
	}
	same(t, take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 30), l)
}

func TestEveryRequestWithChangedBytesLeavesTheServerWell(t *testing.T) {
	l := plain(orders0, 0, 30)
	a, _ := newArchive(t, l)
	s := serving(t, a)
	random := rand.New(rand.NewPCG(3, 4))
	for key := range int16(kmsg.MaxKey + 1) {
		m := kmsg.RequestForKey(key)
		if m == nil {
			continue
		}
		for version := range m.MaxVersion() + 1 {
			m.SetVersion(version)
			sent := question(m, 1)
			for range 2 {
				changed := bytes.Clone(sent)
				if len(changed) > 14 {
					changed[14+random.IntN(len(changed)-14)] = byte(random.Uint32())
				}
				c := dial(t, s)
				c.Write(changed)
				c.Close()
			}
		}
	}
	same(t, take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 30), l)
}

func TestTagsThatAreNotThereAreNotCounted(t *testing.T) {
	const tags = "\xff\xff\xff\xff\x0f" // four billion
	for name, b := range map[string]string{
		"of the header": "\x00\x12\x00\x03\x00\x00\x00\x01\xff\xff" + tags,                    // versions, for a client without a name
		"of the body":   "\x00\x12\x00\x03\x00\x00\x00\x01\xff\xff\x00" + "\x02a\x02b" + tags, // software and version
	} {
		r := request{key: kmsg.ApiVersions, frame: append(make([]byte, 4), b...)}
		refused := make(chan error)
		go func() { refused <- r.parse() }()
		select {
		case err := <-refused:
			if err == nil {
				t.Errorf("tags %s: it is taken, want an error", name)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("tags %s are counted on", name)
		}
	}
}

func TestAClientThatReadsNothingHoldsNothing(t *testing.T) {
	l := plain(orders0, 0, 3)
	for i := range l.records {
		l.records[i].Value = bytes.Repeat([]byte{byte(i)}, 3<<20)
	}
	a, _ := newArchive(t, l)
	s := serving(t, a)
	for range 20 {
		c := dial(t, s)
		if _, err := c.Write(question(fetchOrders(), 1)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 3), l)
	done := make(chan error)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("clients that hang hold the server")
	}
}

func TestNobodyMakesSoManyPartitionsThatNothingElseFits(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 3))
	s := serving(t, a)
	admin := kadm.NewClient(client(t, s))
	made, err := admin.CreateTopics(within(t), 1<<31-1, 1, nil, "huge")
	if err != nil || !errors.Is(made["huge"].Err, kerr.InvalidPartitions) {
		t.Errorf("create: got %v, %v; want %v", made["huge"].Err, err, kerr.InvalidPartitions)
	}
	made, err = admin.CreateTopics(within(t), 3, 1, nil, "small")
	if err != nil || made.Error() != nil {
		t.Fatalf("create: %v, %v", made.Error(), err)
	}
	grown, err := admin.UpdatePartitions(within(t), 1<<31-1, "small")
	if err != nil || !errors.Is(grown["small"].Err, kerr.InvalidPartitions) {
		t.Errorf("grow: got %v, %v; want %v", grown["small"].Err, err, kerr.InvalidPartitions)
	}
}

func TestAThousandConnectionsAreServedAndMoreAreClosed(t *testing.T) {
	l := plain(orders0, 0, 3)
	a, _ := newArchive(t, l)
	s := start(t, Options{Sources: []Source{{Archive: a}}, Connections: 1000})
	var open []net.Conn
	for range 1000 {
		open = append(open, dial(t, s))
	}
	for _, c := range open[990:] { // those that came last are served, too
		c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(question(fetchOrders(), 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, dial(t, s))
	for _, c := range open {
		c.Close()
	}
	for {
		if rawFetch(t, s) == nil { // there is room again
			return
		}
	}
}

func TestATLSClientReadsByTheNameThatIsAdvertised(t *testing.T) {
	l := plain(orders0, 0, 3)
	a, _ := newArchive(t, l)
	authority := testpki.NewAuthority(t)
	s := start(t, Options{Sources: []Source{{Archive: a}}, Advertise: "localhost", TLS: &tls.Config{Certificates: []tls.Certificate{authority.Issue("localhost").TLS()}},
		Users: []User{{"ann", "secret"}}})
	host, _, err := net.SplitHostPort(s.Addr())
	if err != nil || host != "localhost" {
		t.Errorf("got address %s, want localhost", s.Addr())
	}
	trust := kgo.DialTLSConfig(&tls.Config{RootCAs: authority.Pool()})
	same(t, take(t, client(t, s, trust, kgo.SASL(plainAuth("ann", "secret")), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 3), l)
	if err := client(t, s, trust).Ping(within(t)); err == nil {
		t.Error("who did not log in was answered")
	}
	if err := rawFetch(t, s); err == nil {
		t.Error("a fetch without TLS was answered")
	}
}

func TestEveryVersionOfTheQuestionForVersionsSaysThatLoginsMayBeginAsLibrdkafkaWants(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 3))
	s := start(t, Options{Sources: []Source{{Archive: a}}, Users: []User{{"ann", "secret"}}})
	for version := range int16(5) {
		m := kmsg.NewPtrApiVersionsRequest()
		m.SetVersion(version)
		m.ClientSoftwareName, m.ClientSoftwareVersion = "librdkafka", "2.0.2"
		response := m.ResponseKind().(*kmsg.ApiVersionsResponse)
		if err := response.ReadFrom(rawAnswer(t, s, question(m, 1))); err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		i := slices.IndexFunc(response.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return kmsg.Key(k.ApiKey) == kmsg.SASLHandshake })
		if i < 0 || response.ApiKeys[i].MinVersion != 0 || response.ApiKeys[i].MaxVersion != 1 {
			t.Errorf("version %d: got %+v, want SaslHandshake 0 to 1", version, response.ApiKeys)
		}
	}
}

func TestAVersionOfTheQuestionForVersionsThatIsNotKnownIsAnsweredInTheFirst(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 3))
	s := start(t, Options{Sources: []Source{{Archive: a}}})
	for _, version := range []int16{5, 127} {
		m := kmsg.NewPtrApiVersionsRequest()
		m.SetVersion(m.MaxVersion())
		m.ClientSoftwareName, m.ClientSoftwareVersion = "librdkafka", "2.0.2"
		frame := question(m, 1)
		binary.BigEndian.PutUint16(frame[6:], uint16(version))
		response := (&kmsg.ApiVersionsRequest{}).ResponseKind().(*kmsg.ApiVersionsResponse)
		if err := response.ReadFrom(rawAnswer(t, s, frame)); err != nil || kerr.ErrorForCode(response.ErrorCode) != kerr.UnsupportedVersion || len(response.ApiKeys) != 1 {
			t.Errorf("version %d: got %+v, %v, want the versions of the question", version, response, err)
		}
	}
}

// rawAnswer sends a frame on a new connection and returns what comes back behind its correlation id.
func rawAnswer(t *testing.T, s *Server, frame []byte) []byte {
	t.Helper()
	c := dial(t, s)
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return body
}
