// Package csv reads and writes comma-separated values as RFC 4180 has them, exactly: it tells a quoted field from one that is not, which
// is how null differs from empty text, and it keeps carriage returns in quoted fields. encoding/csv hides the first and drops the
// second. For everything else the two read the same.
package csv
