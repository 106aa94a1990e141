package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestALongRecordOfADryRunIsCutAndSaysHowLongItIs(t *testing.T) {
	long := previewed{Verdict: "pass", Topic: "orders", Before: json.RawMessage(`"` + strings.Repeat("本", 2_500_000) + `"`), After: json.RawMessage(`{"key":"a"}`)}
	for width, characters := range map[int]int{0: 400, 80: 320} {
		var out strings.Builder
		if err := writePreview(screen{&out, func() int { return width }}, []previewed{long}); err != nil {
			t.Fatal(err)
		}
		want := "changed: orders-0 offset 0\n  - \"" + strings.Repeat("本", characters-1) + "… (2,500,002 characters)\n  + {\"key\":\"a\"}\n"
		if out.String() != want {
			t.Errorf("%d columns: got %d bytes that end with %q", width, out.Len(), out.String()[max(0, out.Len()-100):])
		}
	}
}
