package main

import (
	"cmp"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/bucketurl"
)

// createArchive begins a new archive for a place, where it will be whole or not at all.
func createArchive(e *env, to string, id format.Identity) (*aside.Archive, error) {
	if bucketurl.Is(to) {
		return e.stageArchive(to, id)
	}
	if err := checkDirectory(to); err != nil {
		return nil, err
	}
	return aside.CreateArchive(to, id)
}

// createFile begins a new file for a place, where it will be whole or not at all.
func createFile(to string) (*aside.File, error) {
	if err := checkNoFile(to); err != nil {
		return nil, err
	}
	return aside.CreateFile(to)
}

// checkDirectory refuses stdout as a place for a directory.
func checkDirectory(dir string) error {
	if dir == "-" {
		return &usageError{"a directory cannot go to stdout", "give the name of one with -o"}
	}
	return nil
}

// checkLocalDirectory refuses stdout and buckets as places for a directory.
func checkLocalDirectory(dir string) error {
	if bucketurl.Is(dir) {
		return &usageError{"this command writes to a directory, not to a bucket", "give the name of a directory; karchive copy takes an archive from there to a bucket"}
	}
	return checkDirectory(dir)
}

// checkFree refuses a place with anything in it.
func checkFree(dir string) error {
	if bucketurl.Is(dir) {
		return nil // it is looked at when it is opened
	}
	return cmp.Or(checkDirectory(dir), aside.CheckFree(dir))
}

// checkNoFile refuses stdout, buckets, and a place with anything in it.
func checkNoFile(to string) error {
	if to == "-" {
		return &usageError{"stdout is for what the command says: the file cannot go there", "give the name of a new file"}
	}
	if bucketurl.Is(to) {
		return &usageError{"this command writes to a file, not to a bucket", "give the name of a new file, and take it to the bucket with the store's own tools"}
	}
	return aside.CheckNoFile(to)
}

// occupiedHint says what to do about a place with something in it.
func occupiedHint(e *aside.OccupiedError) string {
	if e.Directory {
		return "give the name of a new directory"
	}
	return "give the name of a new file"
}
