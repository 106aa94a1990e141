package format

import (
	"encoding/binary"
	"io"
)

// parquetTail is what a Parquet file ends with: the length of the footer, then the magic.
const parquetTail = 8

// readFooter reads the raw Parquet footer of a file of size bytes.
func readFooter(r io.ReaderAt, size int64) ([]byte, error) {
	var tail [parquetTail]byte
	if size < int64(len(parquetMagic)+parquetTail) {
		return nil, corruptf("%d bytes are too few for a segment", size)
	}
	if err := readFull(r, tail[:], size-parquetTail); err != nil {
		return nil, err
	}
	if string(tail[4:]) != parquetMagic {
		return nil, corruptf("no Parquet magic at the end")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	if n > maxFooterBytes || n > size-int64(len(parquetMagic)+parquetTail) {
		return nil, corruptf("footer of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	return footer, readFull(r, footer, size-parquetTail-n)
}

// openParquet reads the footer of a Parquet file.
func openParquet(r io.ReaderAt, size int64) (map[string][]byte, decoder, error) {
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, nil, err
	}
	kv, err := footerMetadata(footer)
	if err != nil {
		return nil, nil, err
	}
	return kv, &parquetDecoder{source: r, size: size, footer: footer}, nil
}

// CheckParquetFooter refuses a Parquet file of size bytes, which need not be a segment, when its footer is not well-formed or counts more
// than its bytes can hold: the Parquet library takes memory by such counts. Errors wrap ErrCorrupt or come from r.
func CheckParquetFooter(r io.ReaderAt, size int64) error {
	footer, err := readFooter(r, size)
	if err == nil {
		_, err = footerMetadata(footer)
	}
	return err
}
