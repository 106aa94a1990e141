package billing_test

import (
	"context"
	"embed"
	"io/fs"
	"testing"

	"example.com/billing"
	"github.com/karchive/karchive/fixture"
)

// run runs the service until the test ends.
func run(t *testing.T, broker string) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- billing.Run(ctx, broker) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestEveryOrderGetsItsInvoice(t *testing.T) {
	broker := fixture.Serve(t, "testdata/orders.karchive")
	run(t, broker.Addr())
	broker.WaitForGroup("billing")
	got := fixture.Capture(t, broker.Addr(), "invoices")
	fixture.Equal(t, got, "testdata/invoices.karchive", fixture.Ignore("timestamp", "value.made"))
}

//go:embed testdata/orders.karchive
var testdata embed.FS

func TestOrdersMayComeFromTheBinary(t *testing.T) {
	t.Parallel()
	orders, err := fs.Sub(testdata, "testdata/orders.karchive")
	if err != nil {
		t.Fatal(err)
	}
	broker := fixture.ServeFS(t, orders)
	run(t, broker.Addr())
	broker.WaitForRecords("invoices", 5)
}
