//go:build !unix

package main

// onPauseSignal does nothing: the system has no signal for it.
func onPauseSignal(func()) (stop func()) { return func() {} }
