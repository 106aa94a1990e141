//go:build unix

package storage

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

var errLockHeld = unix.EWOULDBLOCK

// lockFile takes the lock of the open file, alone or with others; closing the file, or the end of the process, gives it up.
func lockFile(f *os.File, shared bool) error {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// isNoLinks knows the answers of file systems without hard links. FAT on Linux says EPERM; so would a directory in which one may not
// make files, but the caller has just made one.
func isNoLinks(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS)
}
