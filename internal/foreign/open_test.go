package foreign

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

const text = "id,name\n1,Zoë\n2,Bob\n"

// fromBase64 is a file that another program made.
func fromBase64(t *testing.T, s string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func packedWith(t testing.TB, open func(io.Writer) (io.WriteCloser, error), s string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gzipped(t testing.TB, s string) string {
	return packedWith(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, s)
}

func zstded(t testing.TB, s string) string {
	return packedWith(t, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }, s)
}

func xzed(t testing.TB, s string) string {
	return packedWith(t, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }, s)
}

func lz4ed(t testing.TB, s string) string {
	return packedWith(t, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }, s)
}

// bzip2ed is text as bzip2 made it.
const bzip2ed = "QlpoOTFBWSZTWbdMsTIAAAdfFAAQAAQwABAAABA2I4AICAAgACIgzUZHlBTAATSVIFBtMUVCBXt/F3JFOFCQt0yxMg=="

func readText(s string) (string, error) {
	r, err := Open(iotest{strings.NewReader(s)}, Options{})
	if err != nil {
		return "", err
	}
	defer r.Close()
	in, err := r.Text()
	if err != nil {
		return "", err
	}
	got, err := io.ReadAll(in)
	return string(got), err
}

// iotest hides what a strings.Reader can do beyond reading, as stdin does.
type iotest struct{ io.Reader }

func TestWhatIsCompressedIsReadWhateverItsName(t *testing.T) {
	for name, s := range map[string]string{
		"plain": text, "gzip": gzipped(t, text), "zstd": zstded(t, text), "xz": xzed(t, text), "LZ4": lz4ed(t, text), "bzip2": fromBase64(t, bzip2ed),
		"gzip members":                     gzipped(t, text[:5]) + gzipped(t, "") + gzipped(t, text[5:]),
		"zstd frames":                      zstded(t, text[:5]) + "\x50\x2a\x4d\x18\x02\x00\x00\x00ab" + zstded(t, text[5:]),
		"a zstd frame to be skipped first": "\x50\x2a\x4d\x18\x02\x00\x00\x00ab" + zstded(t, text),
		"xz streams":                       xzed(t, text[:5]) + xzed(t, text[5:]),
		"LZ4 frames":                       lz4ed(t, text[:5]) + lz4ed(t, text[5:]),
		"two layers":                       gzipped(t, zstded(t, text)),
		"a mark":                           "\xef\xbb\xbf" + text,
		"a compressed mark":                gzipped(t, "\xef\xbb\xbf"+text),
		"compressed UTF-16":                gzipped(t, utf16Of(text, false)),
	} {
		if got, err := readText(s); got != text || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestACompressedFileThatWasCutIsDamaged(t *testing.T) {
	long := strings.Repeat(text, 10000)
	for name, s := range map[string]string{"gzip": gzipped(t, long), "zstd": zstded(t, long), "xz": xzed(t, long), "LZ4": lz4ed(t, long), "bzip2": fromBase64(t, bzip2ed)} {
		for _, n := range []int{11, len(s) / 2, len(s) - 1} {
			_, err := readText(s[:n])
			if e, ok := errors.AsType[*DamagedError](err); !ok || !strings.Contains(e.Error(), name) {
				t.Errorf("%s cut to %d of %d bytes: got %v", name, n, len(s), err)
			}
		}
	}
}

func TestOtherFilesAreRefusedByName(t *testing.T) {
	tar := strings.Repeat("a", 257) + "ustar\x0000"
	for s, want := range map[string]string{
		"PK\x03\x04abcdef": "zip", "7z\xbc\xaf\x27\x1c..": "7z", tar: "tar", "\xff\x06\x00\x00sNaPpY...": "snappy", gzipped(t, tar): "tar",
		"PAR1\x15\x04": "Parquet", "Obj\x01\x02": "Avro", "ARROW1\x00\x00": "Arrow", gzipped(t, "Obj\x01\x02"): "Avro", "SQLite format 3\x00..": "SQLite",
		"LZIP\x01...": "lzip", "\x78\x9c...": "zlib", "\x1f\x9d...": "compress",
		utf16Of("id,name\n", false)[2:]: "UTF-16", utf16Of("id,name\n", true)[2:]: "UTF-16", "i\x00\x00\x00d\x00\x00\x00": "UTF-32",
	} {
		_, err := readText(s)
		if e, ok := errors.AsType[*UnsupportedError](err); !ok || !strings.Contains(e.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", s, err, want)
		}
	}
	for _, s := range []string{"PAR1,b\n", "BZhello", "ORC\n", "LZIP", "x", "", "a\x00b\n", "PK"} {
		if got, err := readText(s); got != s || err != nil {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}

// utf16Of is text in UTF-16 with its mark.
func utf16Of(s string, big bool) string {
	var out []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		if big {
			u = u<<8 | u>>8
		}
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func TestUTF16AndUTF32BecomeUTF8(t *testing.T) {
	long := strings.Repeat("é😀,数\r\n", 50000)
	var little, big []byte
	for _, r := range "\ufeff" + long {
		little = append(little, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
		big = append(big, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
	}
	for name, s := range map[string]string{"16 little": utf16Of(long, false), "16 big": utf16Of(long, true), "32 little": string(little), "32 big": string(big)} {
		if got, err := readText(s); got != long || err != nil {
			t.Errorf("%s: got %d bytes, %v, want %d", name, len(got), err, len(long))
		}
	}
	for name, s := range map[string]string{
		"half a pair": "\xff\xfea\x00\x3d\xd8b\x00", "half a pair at the end": "\xff\xfea\x00\x3d\xd8", "an odd byte": "\xff\xfea\x00b", "beyond Unicode": "\xff\xfe\x00\x00\x00\x00\x11\x00",
	} {
		if _, err := readText(s); !errors.Is(err, errNotUnicode) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAFileThatUnpacksOutOfAllProportionIsOverALimit(t *testing.T) {
	r, err := Open(strings.NewReader(zstded(t, strings.Repeat("1\n", 4<<20))), Options{MaxRatio: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.read = freeBytes - 1<<20 // as if so much had been read
	_, err = io.Copy(io.Discard, r)
	if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != UnpackLimit {
		t.Errorf("got %v", err)
	}
	deep := text
	for range maxLayers + 1 {
		deep = gzipped(t, deep)
	}
	_, err = readText(deep)
	if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != FixedLimit {
		t.Errorf("%d layers: got %v", maxLayers+1, err)
	}
}

func TestAWindowThatIsTooLargeIsOverALimit(t *testing.T) {
	// A frame of one raw block whose header asks for a window of 2 GiB.
	_, err := readText("\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00a")
	if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != FixedLimit {
		t.Errorf("got %v", err)
	}
}

var errDisk = errors.New("the disk fails")

// failing gives some bytes and fails then.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errDisk
	}
	return n, err
}

func TestAnErrorOfTheFileItselfIsNoDamage(t *testing.T) {
	s := gzipped(t, strings.Repeat(text, 1000))
	r, err := Open(failing{strings.NewReader(s[:len(s)-20])}, Options{})
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if _, damaged := errors.AsType[*DamagedError](err); damaged || !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}

func TestEmptyIsToldFromAMarkAlone(t *testing.T) {
	for s, want := range map[string]bool{"": true, gzipped(t, ""): true, "\xef\xbb\xbf": false, "\n": false} {
		r, err := Open(strings.NewReader(s), Options{})
		if err != nil {
			t.Fatal(err)
		}
		in, err := r.Text()
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, in)
		if r.Empty() != want {
			t.Errorf("%q: got %t", s, !want)
		}
	}
}
