// Package pack puts an archive into one file, or a few of a given size, that can be carried over an air gap: a zip with stored entries,
// with a manifest that names every file with its size and SHA-256 and can be signed. SPEC.md, "Packed files", says what is in it byte by
// byte: the same archive gives the same file.
//
// [New] plans a packed file of an archive and writes its parts. [Open] opens one, whose [Pack.FS] is a place to read the archive from without
// unpacking it: give it to [format.Open]. [OpenArchive] does both, and takes a directory, too. [Pack.Unpack] makes a directory of it again, after
// everything was checked.
//
// A Pack and what its FS opens are safe for concurrent use.
package pack
