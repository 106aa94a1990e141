package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
)

// broker is a source in this process.
type broker struct {
	t *testing.T
	*kfake.Cluster
	dial    []kgo.Opt
	virtual *kfake.VirtualNetwork // when it lives in a bubble of virtual time
}

func newBroker(t *testing.T, opts ...kfake.Opt) *broker {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &broker{t: t, Cluster: c, dial: []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}}
}

func (b *broker) client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, b.dial...), opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(cl.Close)
	return cl
}

// produce sends records one batch each, so that batches are many.
func (b *broker) produce(topic string, partition int32, records ...*kgo.Record) {
	b.t.Helper()
	cl := b.client(kgo.ProducerLinger(0), kgo.ProducerBatchMaxBytes(32<<20), kgo.MaxBufferedBytes(64<<20), kgo.BrokerMaxWriteBytes(64<<20))
	b.send(cl, topic, partition, records...)
}

func (b *broker) send(cl *kgo.Client, topic string, partition int32, records ...*kgo.Record) {
	b.t.Helper()
	for _, r := range records {
		r.Topic, r.Partition = topic, partition
	}
	if err := cl.ProduceSync(b.t.Context(), records...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// fill sends n records of about 100 bytes, each batch of another size.
func (b *broker) fill(topic string, partition int32, n int) {
	b.t.Helper()
	b.fillBy(b.client(), topic, partition, n)
}

func (b *broker) fillBy(cl *kgo.Client, topic string, partition int32, n int) {
	b.t.Helper()
	for at := 0; at < n; {
		size := min(n-at, 1+(at*7)%23)
		var records []*kgo.Record
		for i := at; i < at+size; i++ {
			records = append(records, numbered(i))
		}
		b.send(cl, topic, partition, records...)
		at += size
	}
}

func numbered(i int) *kgo.Record {
	return &kgo.Record{Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "%d %0*d", i, i%100, i), Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i)}}}
}

// transact sends n records in a transaction of its own.
func (b *broker) transact(id, topic string, partition int32, n int, commit kgo.TransactionEndTry) {
	b.t.Helper()
	cl := b.openTransaction(id, topic, partition, n)
	if err := cl.EndTransaction(b.t.Context(), commit); err != nil {
		b.t.Fatal(err)
	}
	cl.Close()
}

// openTransaction sends n records in a transaction that stays open.
func (b *broker) openTransaction(id, topic string, partition int32, n int) *kgo.Client {
	b.t.Helper()
	cl := b.client(kgo.TransactionalID(id))
	if err := cl.BeginTransaction(); err != nil {
		b.t.Fatal(err)
	}
	var records []*kgo.Record
	for i := range n {
		records = append(records, numbered(i))
	}
	b.send(cl, topic, partition, records...)
	return cl
}

// options of a capture in a bubble are without compression: zstd encoders are shared with tests outside, which their channels
// must not be.
func (b *broker) options(o Options) Options {
	if b.virtual != nil {
		o.Compression = format.NoCompression
	}
	return o
}

// place is where an archive lies. Its archive is opened for each capture, as the command does it.
type place struct {
	t        *testing.T
	fs       *memfs.FS
	encoding format.Encoding // of a new archive; empty: Parquet
}

func newPlace(t *testing.T) *place { return &place{t: t, fs: memfs.New(memfs.Options{})} }

func newPlaceIn(t *testing.T, e format.Encoding) *place {
	p := newPlace(t)
	p.encoding = e
	return p
}

// eachEncoding runs a test of what a capture promises in every encoding.
func eachEncoding(t *testing.T, test func(t *testing.T, e format.Encoding)) {
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func (p *place) open() *format.Archive {
	p.t.Helper()
	a, err := format.OpenForWriting(p.fs)
	if errors.Is(err, format.ErrNotArchive) {
		a, err = format.Create(p.fs, format.Identity{Encoding: p.encoding})
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// try captures into the archive.
func (p *place) try(ctx context.Context, b *broker, o Options) (Report, error) {
	p.t.Helper()
	a := p.open()
	defer a.Close()
	return Run(ctx, b.dial, a, b.options(o))
}

// capture is try that must succeed.
func (p *place) capture(b *broker, o Options) Report {
	p.t.Helper()
	r, err := p.try(p.t.Context(), b, o)
	if err != nil {
		p.t.Fatalf("capture: %v", err)
	}
	p.verify()
	return r
}

// verify checks the archive down to the last record.
func (p *place) verify() {
	p.t.Helper()
	err := format.Verify(p.fs, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
		for _, problem := range c.Problems {
			p.t.Errorf("%s: %s", c.Path, problem)
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) records(topic string, partition int32) []format.Record {
	p.t.Helper()
	a, err := format.Open(p.fs)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []format.Record
	for r, err := range a.Records(p.t.Context(), format.Selection{Topics: []string{topic}, Partitions: []int32{partition}}) {
		if errors.Is(err, format.ErrNotArchived) {
			return nil
		}
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, r.Record)
	}
	return all
}

func (p *place) coverage(topic string, partition int32) format.Coverage {
	p.t.Helper()
	a, err := format.Open(p.fs)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := a.Coverage(format.TopicPartition{Topic: topic, Partition: partition})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return c
}

// data is the content of the files that a snapshot promises to make the same.
func (p *place) data() map[string]string { return dataOf(p.fs) }

func dataOf(fsys *memfs.FS) map[string]string {
	files := map[string]string{}
	for name, b := range fsys.Files() {
		if isData(name) {
			files[name] = string(b)
		}
	}
	return files
}

func isData(name string) bool { return strings.HasPrefix(name, "data/") }

// onSeal calls do when a segment gets its final name.
func (p *place) onSeal(do func()) {
	p.fs.Inject(func(op memfs.Op) *memfs.Fault {
		if op.Call == memfs.Link && strings.HasPrefix(op.To, "data/") {
			do()
		}
		return nil
	})
}

// interrupt captures until a segment is sealed, and then kills the process.
func (p *place) interrupt(b *broker, o Options) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	p.onSeal(cancel)
	if _, err := p.try(ctx, b, o); !errors.Is(err, context.Canceled) {
		p.t.Fatalf("got %v, want an interruption", err)
	}
	p.fs = p.fs.Kill()
}

// inBubble runs do in a bubble of virtual time.
func inBubble(t *testing.T, do func(*testing.T)) { synctest.Test(t, do) }

// newVirtualBroker is a broker for a bubble.
func newVirtualBroker(t *testing.T, opts ...kfake.Opt) *broker {
	t.Helper()
	network := new(kfake.VirtualNetwork)
	b := newBroker(t, append([]kfake.Opt{kfake.ListenFn(network.Listen), kfake.Ports(9092)}, opts...)...)
	b.dial, b.virtual = append(b.dial, kgo.Dialer(network.DialContext)), network
	return b
}

func (b *broker) admin() *kadm.Client { return kadm.NewClient(b.client()) }

func (p *place) identity() format.Identity {
	p.t.Helper()
	a, err := format.Open(p.fs)
	if err != nil {
		p.t.Fatal(err)
	}
	return a.Identity()
}
