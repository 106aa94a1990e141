package imports

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/klauspost/compress/zstd"

	"github.com/karchive/karchive/test/peak"
)

func TestAPageThatLiesAboutItsSizeIsNoBomb(t *testing.T) {
	const bound = 32 << 20
	schema := arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.Binary}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	b.Field(0).(*array.BinaryBuilder).Append(noise)
	var out bytes.Buffer
	table := array.NewTableFromRecords(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	properties := parquet.NewWriterProperties(parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Zstd))
	if err := pqarrow.WriteTable(table, &out, 1, properties, pqarrow.DefaultWriterProps()); err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	footer := len(file) - 8 - int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	page := file[bytes.Index(file, []byte{0x28, 0xb5, 0x2f, 0xfd}):footer]
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := append(w.EncodeAll(make([]byte, 256<<20), nil), 0x50, 0x2a, 0x4d, 0x18) // and a frame to skip, up to the end of the page
	copy(page, binary.LittleEndian.AppendUint32(bomb, uint32(len(page)-len(bomb)-4)))
	if n := peak.Allocated(func() { readAll(file) }); n > bound {
		t.Errorf("got %d bytes allocated to read %d, want at most %d", n, len(file), bound)
	}
}

// The codec is for this program: who builds another one with its public packages gets the Parquet library as it is.
func TestNoPublicPackageBringsTheCodec(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../../format", "../../capture", "../../replay").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if strings.Contains(string(out), "karchive/internal/imports\n") {
		t.Errorf("format, capture or replay depends on internal/imports, want none of them to")
	}
}
