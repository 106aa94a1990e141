package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

var errLockHeld = windows.ERROR_LOCK_VIOLATION

// lockFile takes the lock of the open file, alone or with others; closing the file, or the end of the process, gives it up. A locked range cannot be
// read by others, so it lies far behind the text that says who holds it.
func lockFile(f *os.File, shared bool) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	const farBehind = 1 << 30
	far := windows.Overlapped{OffsetHigh: farBehind}
	return windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &far)
}

// isNoLinks knows the answers of file systems without hard links, FAT and exFAT above all.
func isNoLinks(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_NOT_SUPPORTED) ||
		errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED)
}
