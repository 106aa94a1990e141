//go:build iceberg

package iceberg

import (
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
)

// ErrName is wrapped by the error of a namespace or a prefix that some readers would not take. Namespaces may have capitals and dashes too.
var ErrName = errors.New("not made of lower-case letters, digits and underscores")

// EncodingError is returned for an archive that is not in Parquet, which is all that tables can have of the two encodings.
type EncodingError struct{ Encoding format.Encoding }

// Error names the encoding.
func (e *EncodingError) Error() string {
	return fmt.Sprintf("the archive is in %s: Iceberg tables have Parquet files", e.Encoding)
}

// NamesError is returned for two topics that one table would be made of.
type NamesError struct{ Topic, Other, Table string }

// Error names the topics and the table.
func (e *NamesError) Error() string {
	return fmt.Sprintf("topics %s and %s would both be table %s", e.Topic, e.Other, e.Table)
}

// TableError is returned for a table that is not what an export of the archive makes.
type TableError struct {
	Why          string
	Replaceable  bool // Options.Replace makes it the archive's
	OtherArchive string
}

// Error returns Why.
func (e *TableError) Error() string { return e.Why }
