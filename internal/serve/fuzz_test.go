package serve

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
)

// FuzzRequests sends whatever comes to mind on a connection: the server must answer the next client.
func FuzzRequests(f *testing.F) {
	a, _ := newArchive(f, plain(orders0, 0, 30), plain(format.TopicPartition{Topic: "users", Partition: 1}, 5, 9))
	inside := newInner("127.0.0.1:9092")
	start(f, Options{Sources: []Source{{Archive: a}}, Listener: func(string, string) (net.Listener, error) { return inside, nil }})
	connect := func(t *testing.T) net.Conn {
		c, err := inside.dial(addressText("127.0.0.1:1"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := connect(t)
		c.SetDeadline(time.Now().Add(20 * time.Millisecond)) // what waits for records is not waited for
		go io.Copy(io.Discard, c)
		c.Write(sent)
		c.Close()
		next := connect(t)
		defer next.Close()
		next.SetDeadline(time.Now().Add(time.Minute))
		if _, err := next.Write(question(fetchOrders(), 7)); err != nil {
			t.Fatalf("the next client: %v", err)
		}
		answer := make([]byte, 8)
		if _, err := io.ReadFull(next, answer); err != nil || answer[7] != 7 {
			t.Fatalf("the next client: got %x, %v", answer, err)
		}
	})
}
