// Command readers writes a small archive with every kind of record that a reader can get wrong, and beside it what a reader should find:
//
//	go run ./test/readers DIR
//
// writes the archive DIR/torture and DIR/torture.expected.jsonl, one line a record, made from the same values in memory without going
// through an archive. check.py then reads the archive, and any golden one, with DuckDB, pandas, Polars and pyarrow, none of which
// knows karchive, and computes the digests again from SPEC.md. extract.py compares what karchive extract finds in an archive of JSON with
// what DuckDB finds there. `make readers` runs all three.
package main
