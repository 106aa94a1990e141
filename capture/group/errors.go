package group

import (
	"errors"
	"fmt"
)

// ErrTaken is wrapped when a group has offsets of something else.
var ErrTaken = errors.New("the group is in use")

// Error is returned when a group does not take in, or keep, a capture as its member.
type Error struct {
	Group string
	Err   error
}

// Error names the group.
func (e *Error) Error() string { return fmt.Sprintf("group %s: %v", e.Group, e.Err) }

// Unwrap returns what the group answered.
func (e *Error) Unwrap() error { return e.Err }
