// Package extract turns records into rows of a table: each column is a path into the record, each record a row, or with Explode a row for
// each element of the arrays that the paths lead through.
//
// An Extractor finds the cells of a record, and a Writer writes them as CSV, JSON lines or Parquet. Missing (the path leads nowhere),
// null and empty stay apart. Both are for one goroutine. Cells point into the record that they are from; nothing is copied on the way.
package extract
