// Package memfs is a storage.FS in memory, for tests of what an archive holds after a crash, a full disk or a failing one.
//
// It keeps what was synced apart from what was not. The bytes and the length of a file become durable with File.Sync, the names in
// a directory (made, linked, renamed, removed) with SyncDir of that directory; neither implies the other, and a new directory needs
// SyncDir of its parent. [FS.Crash] ends the machine and gives what the next one finds on the disk: all that was synced and a
// seeded choice of the rest, with writes torn, reordered, or zeros in their place. It is stricter than a journaling file system,
// which keeps more.
//
// Every call is an operation with a number, from 0, also those that only read. Any of them can fail, fail late, write a part or be the
// last one before the crash: see [FS.Inject], [FS.FailAt], [FS.FailFrom], [FS.TearAt], [FS.CrashAt] and [FS.SetFree].
//
// After a Sync or SyncDir that failed, what it should have made durable stays readable but is not durable, and a second one
// succeeds without making it so, as on Linux: code that retries is found out by the next crash.
//
// The same calls with the same seed give the same result. All methods are safe for concurrent use; then the operations' numbers depend on
// the order in which the calls arrive. There are no symbolic links, permissions or times. Package format's own tests must be in
// package format_test to import this one.
package memfs
