// Package reshaping is what capture, replay and every reader ask of rules that leave records out and change them. A program of your own implements
// [Reshaper] and gives it to the options of package capture or replay.
package reshaping

import "github.com/karchive/karchive/format"

// Reshaper leaves records out and changes them on their way into an archive or out of one, by rules that look at one record at a time.
// Its methods may be called by several goroutines.
type Reshaper interface {
	// Rules identifies everything that decides what comes out. It is stored with what came out, which goes on with the same rules only:
	// what others made would not be told apart. It is salted, so that nobody can find out the rules by hashing guesses in advance. Known
	// is the identity that is stored already, which the same rules then give again, or something that is this archive's own, such as
	// format.Identity.ArchiveID.
	Rules(known string) string
	// Steps says in a few words what the rules do, for who looks at the archive.
	Steps() string
	// Begin returns what one goroutine uses for some records, and how it ends that. Apply may replace all of a record but its offset,
	// and returns false to leave it out. Its error ends what is under way.
	Begin(Use) (apply func(tp format.TopicPartition, r *format.Record) (bool, error), end func())
}

// Use says what becomes of the records that a Reshaper is given. The zero value: they go on, and what was put into one is used
// before the next.
type Use struct {
	Keep  bool // what is put into records is kept, so nobody else may use its memory
	Trial bool // records are looked at ahead, and come again: they do not count
}
