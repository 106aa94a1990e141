// Package parquetbytes reads and writes the parts of a Parquet file that segments need byte by byte: footers, page headers, levels and
// delta-encoded numbers. It knows no record, allocates nothing by what the bytes say, and its errors wrap ondisk.ErrCorrupt.
package parquetbytes

import (
	"encoding/binary"
	"io"

	"github.com/karchive/karchive/internal/ondisk"
)

// Magic begins and ends a Parquet file.
const Magic = "PAR1"

// Tail is what a Parquet file ends with: the length of the footer, then the magic.
const Tail = 8

// ReadFooter reads the raw Parquet footer of a file of size bytes.
func ReadFooter(r io.ReaderAt, size int64) ([]byte, error) {
	var tail [Tail]byte
	if size < int64(len(Magic)+Tail) {
		return nil, ondisk.Corruptf("%d bytes are too few for a segment", size)
	}
	if err := ondisk.ReadFull(r, tail[:], size-Tail); err != nil {
		return nil, err
	}
	if string(tail[4:]) != Magic {
		return nil, ondisk.Corruptf("no Parquet magic at the end")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	if n > ondisk.MaxFooterBytes || n > size-int64(len(Magic)+Tail) {
		return nil, ondisk.Corruptf("footer of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	return footer, ondisk.ReadFull(r, footer, size-Tail-n)
}

// CheckFooter refuses a Parquet file of size bytes, which need not be a segment, when its footer is not well-formed or counts more
// than its bytes can hold: the Parquet library takes memory by such counts. Errors wrap ErrCorrupt or come from r.
func CheckFooter(r io.ReaderAt, size int64) error {
	footer, err := ReadFooter(r, size)
	if err == nil {
		_, err = Metadata(footer)
	}
	return err
}
