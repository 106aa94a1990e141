package diff

import (
	"strings"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/units"
)

// Excerpts are two texts of which at most so many characters are shown: from the beginning, or from shortly before the first place where they
// differ, if that is further behind. What is cut says how long it is.
func Excerpts(a, b string, most int) (string, string) {
	from := 0
	if common := a[:commonPrefix(a, b)]; utf8.RuneCountInString(common) > most*3/4 {
		from = len(common)
		for range most / 4 {
			_, size := utf8.DecodeLastRuneInString(common[:from])
			from -= size
		}
	}
	if utf8.RuneCountInString(a) <= most && utf8.RuneCountInString(b) <= most {
		return a, b
	}
	return excerpt(a, from, most), excerpt(b, from, most)
}

// commonPrefix is how many bytes of two texts are the same at their beginning, in whole characters.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}

// excerpt has memory of its own: the text may be large.
func excerpt(s string, from, most int) string {
	n := utf8.RuneCountInString(s)
	if from == 0 && n <= most {
		return s
	}
	end := from
	for range most {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	before, after := "", ""
	if from > 0 {
		before = "…"
	}
	if end < len(s) {
		after = "…"
	}
	return strings.Join([]string{before, s[from:end], after, " (", units.Of(int64(n), "character"), ")"}, "")
}
