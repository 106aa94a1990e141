// Package options has the error of options that cannot be, or that do not go together. The library that has the options makes it; who shows it
// may call them by other names, those of flags say.
package options

import (
	"errors"
	"fmt"
	"regexp"
)

// ErrInvalid is what every Error is, for errors.Is.
var ErrInvalid = errors.New("options that cannot be")

// Error says what is wrong with options. In its texts the names of options stand in braces: {Schedule}.
type Error struct {
	Problem string
	Advice  string // what to do about it, or why; may be empty
}

// New makes an Error. The problem is a format.
func New(advice, problem string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(problem, args...), Advice: advice}
}

// Error calls the options by their own names.
func (e *Error) Error() string {
	problem, advice := e.Named(func(name string) string { return name })
	if advice == "" {
		return problem
	}
	return problem + ": " + advice
}

// Is says that target is ErrInvalid.
func (e *Error) Is(target error) bool { return target == ErrInvalid }

var braces = regexp.MustCompile(`\{(\w+)\}`)

// Named is the problem and the advice, with the options called by the names that name gives.
func (e *Error) Named(name func(option string) string) (problem, advice string) {
	fill := func(text string) string {
		return braces.ReplaceAllStringFunc(text, func(s string) string { return name(s[1 : len(s)-1]) })
	}
	return fill(e.Problem), fill(e.Advice)
}

// NeedsPace is the error of an option of timed replays in one at top speed.
func NeedsPace(option string) *Error {
	return New("give {Pace}", "{%s} needs a pace", option)
}

// Default gives an option that is not set its value.
func Default[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}
