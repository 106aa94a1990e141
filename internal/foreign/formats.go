package foreign

import "bytes"

// kindOfFormat says what a format that is not text is to us.
type kindOfFormat uint8

const (
	packedFormat kindOfFormat = iota // compressed, or an archive of files: there is something in it that might be read
	binaryFormat                     // what is in it is no text
)

// knownFormat is a format that is known by its first bytes and not read as text.
type knownFormat struct {
	name   string
	kind   kindOfFormat
	at     int // of the magic
	magics []string
}

func (f *knownFormat) refusal() string {
	if f.kind == packedFormat {
		return "it is " + f.name + ", which is not read: unpack it first"
	}
	return "it is " + f.name + ", and no text"
}

var formats = []knownFormat{
	{"a zip file (as .xlsx and .ods are)", packedFormat, 0, []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"}},
	{"a 7z file", packedFormat, 0, []string{"7z\xbc\xaf\x27\x1c"}},
	{"a RAR file", packedFormat, 0, []string{"Rar!\x1a\x07"}},
	{"a tar file", packedFormat, 257, []string{"ustar\x00", "ustar  \x00"}},
	{"compressed with snappy", packedFormat, 0, []string{"\xff\x06\x00\x00sNaPpY", "\x82SNAPPY\x00"}},
	{"compressed with lzip", packedFormat, 0, []string{"LZIP\x01"}},
	{"compressed with lzop", packedFormat, 0, []string{"\x89LZO\x00\r\n\x1a\n"}},
	{"compressed with lzma alone", packedFormat, 0, []string{"\x5d\x00\x00"}},
	{"compressed with compress (.Z)", packedFormat, 0, []string{"\x1f\x9d", "\x1f\xa0"}},
	{"compressed with zlib", packedFormat, 0, []string{"\x78\x01", "\x78\x9c", "\x78\xda"}},
	{"encrypted with age", packedFormat, 0, []string{"age-encryption.org/v1\n"}},
	{"a Parquet file", binaryFormat, 0, []string{"PAR1\x15"}},
	{"an Arrow file", binaryFormat, 0, []string{"ARROW1\x00\x00", "\xff\xff\xff\xff"}},
	{"an Avro file", binaryFormat, 0, []string{"Obj\x01"}},
	{"an ORC file", binaryFormat, 0, []string{"ORC\x08", "ORC\x12"}},
	{"an SQLite database", binaryFormat, 0, []string{"SQLite format 3\x00"}},
	{"a PDF", binaryFormat, 0, []string{"%PDF-"}},
	{"an old Excel file", binaryFormat, 0, []string{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}},
	{"an HDF5 file", binaryFormat, 0, []string{"\x89HDF\r\n\x1a\n"}},
}

// findFormat returns the format of a kind that begins so; nil: none that is known.
func findFormat(begin []byte, kind kindOfFormat) *knownFormat {
	for i := range formats {
		f := &formats[i]
		if f.kind != kind || len(begin) < f.at {
			continue
		}
		for _, magic := range f.magics {
			if bytes.HasPrefix(begin[f.at:], []byte(magic)) {
				return f
			}
		}
	}
	return nil
}
