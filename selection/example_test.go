package selection_test

import (
	"fmt"
	"time"

	"github.com/karchive/karchive/selection"
)

// What somebody typed becomes what an archive is asked for, as format.Archive.Records takes it.
func ExampleWindow() {
	from, err := selection.ParsePosition("-2h")
	if err != nil {
		fmt.Println(err)
		return
	}
	window, err := selection.Window(from, selection.AtOffset(1200), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	if window.Topics, err = selection.Topics([]string{"orders*"}, []string{"events", "orders", "orders-eu"}, selection.Archive); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(window.Topics, window.From.UTC(), window.UntilOffset)
	// Output: [orders orders-eu] 2026-03-01 10:00:00 +0000 UTC 1200
}
