// Package foreign opens files that other programs wrote. What is in a file is told by its first bytes, whatever its name: gzip, zstd, bzip2,
// xz and LZ4 are decompressed on the way, text in UTF-16 and UTF-32 becomes UTF-8, byte order marks are skipped, and what cannot be read is
// refused by name.
//
// Errors tell three things apart: *UnsupportedError is a file that is right and not read here, *LimitError one that is more than a bound
// allows, *DamagedError one that is not what was written.
//
// Values are for one goroutine.
package foreign
