package main

import (
	"strings"
	"testing"
)

func TestATableThatIsTooWideTakesSeveralLinesARow(t *testing.T) {
	const text = "title of some length, which is no row\n\nTOPIC\tRECORDS\tFIRST\tLAST\norders\t1,200\t2026-03-01\t2026-03-02\n本本本\t7\t\t-\ntotal\t1,207\n\nend\n"
	for width, want := range map[int]string{
		0: `title of some length, which is no row

TOPIC   RECORDS  FIRST       LAST
orders  1,200    2026-03-01  2026-03-02
本本本     7                    -
total   1,207

end
`,
		39: `title of some length, which is no row

TOPIC   RECORDS  FIRST       LAST
orders  1,200    2026-03-01  2026-03-02
本本本     7                    -
total   1,207

end
`,
		30: `title of some length, which is no row

TOPIC   RECORDS  FIRST
  LAST
orders  1,200    2026-03-01
  2026-03-02
本本本  7
  -
total   1,207

end
`,
		5: `title of some length, which is no row

TOPIC
  RECORDS
  FIRST
  LAST
orders
  1,200
  2026-03-01
  2026-03-02
本本本
  7
  -
total
  1,207

end
`,
	} {
		var out strings.Builder
		table := newTable(screen{&out, func() int { return width }})
		for range 2 {
			out.Reset()
			table.Write([]byte(text))
			if err := table.Flush(); err != nil || out.String() != want {
				t.Errorf("%d columns: %v, got\n%s, want\n%s", width, err, out.String(), want)
			}
		}
	}
}
