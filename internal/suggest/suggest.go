// Package suggest finds the name a user probably meant.
package suggest

import "github.com/xrash/smetrics"

// likeness is the Jaro-Winkler score from which two names count as a slip of the other; below it a suggestion misleads more often
// than it helps.
const likeness = 0.84

// longer is by how much a slip makes a word longer. A word is repeated when it is like one that is known: with more behind it, that may be a secret.
const longer = 3

// Nearest returns the candidate most like word, or the empty string when none is like enough. Among equals the first wins.
func Nearest(word string, candidates []string) string {
	best, found := likeness, ""
	for _, c := range candidates {
		if len(word) > len(c)+longer {
			continue
		}
		if score := smetrics.JaroWinkler(word, c, 0.7, 4); score > best {
			best, found = score, c
		}
	}
	return found
}
