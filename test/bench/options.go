//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/klauspost/compress/zstd"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/parquetbytes"
	"github.com/karchive/karchive/internal/zstdfast"
)

// optionBytes is about how much of each dataset the options are tried on.
const optionBytes = 32 << 20

// gzipped is J1K with values that are compressed already, each by itself.
var gzipped = dataset{"J1K, values in gzip", 1_000_000, func(random *rand.Rand, i int) format.Record {
	r := orderOf1K(random, i)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(r.Value)
	z.Close()
	r.Value = b.Bytes()
	return r
}}

// random is records of which only headers compress: keys and values as they are when they are encrypted.
var random = dataset{"random keys and values", 1_000_000, func(random *rand.Rand, i int) format.Record {
	r := orderOf1K(random, i)
	r.Key, r.Value = bytesOf(random, 16), bytesOf(random, 1000)
	return r
}}

func bytesOf(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// variant is a way to compress the pages of a segment.
type variant struct {
	name    string
	level   zstd.EncoderLevel
	pageKiB int            // cut anew at so many; 0: pages as they are
	options []zstd.EOption // before the level, which sets what they leave
	own     bool           // by the encoder that captures use at this level, which has no options
}

// compressor is a function that appends a page as a frame.
func (v variant) compressor() (compress func(page, dst []byte) []byte, err error) {
	if v.own {
		e := new(zstdfast.Encoder)
		return func(page, dst []byte) []byte { return e.Append(dst, page) }, nil
	}
	e, err := zstd.NewWriter(nil, append(slices.Clone(v.options), zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(v.level))...)
	if err != nil {
		return nil, err
	}
	return e.EncodeAll, nil
}

// block lets blocks be as large as zstd allows, 128 KiB.
var block = []zstd.EOption{zstd.WithWindowSize(4 << 20)}[:1:1]

// variants begin with what a capture does.
var variants = []variant{
	{name: "zstd:1, as a capture does", own: true},
	{name: "pages of 32 KiB", pageKiB: 32, own: true},
	{name: "pages of 64 KiB", pageKiB: 64, own: true},
	{name: "pages of 128 KiB", pageKiB: 128, own: true},
	{name: "pages of 256 KiB", pageKiB: 256, own: true},
	{name: "pages of 1 MiB", pageKiB: 1024, own: true},
	{name: "klauspost/compress at its fastest level, a block a page", level: zstd.SpeedFastest, options: block},
	{name: "blocks of 64 KiB, as it does", level: zstd.SpeedFastest},
	{name: "no checksum of frames", level: zstd.SpeedFastest, options: append(block, zstd.WithEncoderCRC(false))},
	{name: "all literals entropy-coded", level: zstd.SpeedFastest, options: append(block, zstd.WithAllLitEntropyCompression(true))},
	{name: "nothing entropy-coded", level: zstd.SpeedFastest, options: append(block, zstd.WithNoEntropyCompression(true))},
	{name: "window of 32 KiB", level: zstd.SpeedFastest, options: []zstd.EOption{zstd.WithWindowSize(32 << 10)}},
	{name: "zstd:3", level: zstd.SpeedDefault},
	{name: "zstd:7", level: zstd.SpeedBetterCompression},
}

// runOptions prints what the options of the compressor, and the size of pages, cost and give.
func (s *session) runOptions() error {
	for _, d := range []dataset{datasets["J1K"], datasets["J100"], gzipped, random} {
		columns, err := s.columnsOf(d)
		if err != nil {
			return err
		}
		if err := s.printWritten(d); err != nil {
			return err
		}
		if err := printColumns(columns); err != nil {
			return err
		}
		if err := s.printVariants(columns); err != nil {
			return err
		}
		if err := s.printLibzstd(columns); err != nil {
			return err
		}
	}
	return nil
}

// pageColumn is a column of a segment: its pages, before they are compressed, a list for each row group.
type pageColumn struct {
	name   string
	groups [][][]byte
}

func (c *pageColumn) bytes() (n int64) {
	for _, pages := range c.groups {
		for _, p := range pages {
			n += int64(len(p))
		}
	}
	return n
}

// cut are all pages, cut anew at so many KiB if it is not 0.
func (c *pageColumn) cut(kib int) (all [][]byte) {
	for _, pages := range c.groups {
		if kib == 0 {
			all = append(all, pages...)
			continue
		}
		for rest := bytes.Join(pages, nil); len(rest) > 0; {
			n := min(kib<<10, len(rest))
			all, rest = append(all, rest[:n]), rest[n:]
		}
	}
	return all
}

// columnsOf writes records as a segment that is not compressed, and reads its pages.
func (s *session) columnsOf(d dataset) ([]pageColumn, error) {
	segment, _, err := s.write(d, format.NoCompression)
	if err != nil {
		return nil, err
	}
	return pagesOf(segment)
}

// write makes a segment of the first records, and says what writing it took beyond making them.
func (s *session) write(d dataset, c format.Compression) (segment string, u usage, err error) {
	dir := filepath.Join(s.dir, "columns")
	if err := os.RemoveAll(dir); err != nil {
		return "", u, err
	}
	a, err := newArchive(dir)
	if err != nil {
		return "", u, err
	}
	defer a.Close()
	p, err := a.NewSegment(format.WriterOptions{Topic: "columns", Compression: c})
	if err != nil {
		return "", u, err
	}
	var records []format.Record
	err = d.each(func(_ int, r *format.Record) error {
		records = append(records, *r)
		if u.Bytes += format.CanonicalSize(r); u.Bytes >= optionBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && err != errEnough {
		return "", u, err
	}
	watch := startWatch()
	for i := range records {
		if err := p.Write(&records[i]); err != nil {
			return "", u, err
		}
	}
	if _, _, err := p.Seal(p.Position()); err != nil {
		return "", u, err
	}
	u.CPU = watch.stop().CPU
	files, err := segmentFiles(dir)
	if err != nil || len(files) != 1 {
		return "", u, fmt.Errorf("%d segments: %w", len(files), err)
	}
	info, err := os.Stat(files[0])
	if err == nil {
		u.Out = info.Size()
	}
	return files[0], u, err
}

var errEnough = errors.New("enough")

// printWritten compares segments as they are written: levels 1 and 2 have the same codec, but only level 1 stores pages that do not compress.
func (s *session) printWritten(d dataset) error {
	fmt.Printf("%s:\n\n| segment | MB of records | MB | CPU ms to write |\n|---|---|---|---|\n", d.name)
	for _, c := range []format.Compression{"zstd:1", "zstd:2", format.NoCompression} {
		var best usage
		for range s.flags.repeat {
			_, u, err := s.write(d, c)
			if err != nil {
				return err
			}
			u.CPU = least(best.CPU, u.CPU)
			best = u
		}
		fmt.Printf("| %s | %.1f | %.1f | %.0f |\n", c, float64(best.Bytes)/1e6, float64(best.Out)/1e6, best.CPU*1e3)
	}
	fmt.Println()
	return nil
}

func pagesOf(segment string) ([]pageColumn, error) {
	data, err := os.ReadFile(segment)
	if err != nil {
		return nil, err
	}
	f, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	columns := make([]pageColumn, f.MetaData().Schema.NumColumns())
	for i := range columns {
		columns[i].name = f.MetaData().Schema.Column(i).Path()
		for g := range f.NumRowGroups() {
			c, err := f.RowGroup(g).MetaData().ColumnChunk(i)
			if err != nil {
				return nil, err
			}
			var pages [][]byte
			for rest := data[c.DataPageOffset():][:c.TotalCompressedSize()]; len(rest) > 0; {
				_, page, behind, ok := parquetbytes.NextPage(rest)
				if !ok {
					return nil, fmt.Errorf("page of column %s", columns[i].name)
				}
				pages, rest = append(pages, page), behind
			}
			columns[i].groups = append(columns[i].groups, pages)
		}
	}
	return columns, nil
}

// trial is what a variant makes of pages.
type trial struct {
	out            int64
	encode, decode float64 // least CPU seconds
}

// try compresses and decompresses pages once more.
func (t *trial) try(v variant, pages [][]byte) error {
	compress, err := v.compressor()
	if err != nil {
		return err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.IgnoreChecksum(true))
	if err != nil {
		return err
	}
	defer d.Close()
	frames, memory, most := make([][]byte, len(pages)), []byte(nil), 0
	for _, p := range pages {
		memory, most = append(memory, compress(p, nil)...), max(most, len(p)) // the first time is for tables and memory
	}
	buffer := make([]byte, 0, len(memory)+len(pages)*64)
	watch := startWatch()
	for i, p := range pages {
		from := len(buffer)
		buffer = compress(p, buffer)
		frames[i] = buffer[from:]
	}
	t.encode, t.out = least(t.encode, watch.stop().CPU), int64(len(buffer))
	body := make([]byte, 0, most+64)
	watch = startWatch()
	for _, f := range frames {
		if body, err = d.DecodeAll(f, body[:0]); err != nil {
			return err
		}
	}
	t.decode = least(t.decode, watch.stop().CPU)
	return nil
}

// least is the lesser of two times, of which 0 is none.
func least(a, b float64) float64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func printColumns(columns []pageColumn) error {
	fmt.Print("| column | MB | ratio | CPU ms to compress |\n|---|---|---|---|\n")
	for _, c := range columns {
		var t trial
		if err := t.try(variants[0], c.cut(0)); err != nil {
			return err
		}
		fmt.Printf("| %s | %.1f | %.2f | %.0f |\n", c.name, float64(c.bytes())/1e6, float64(t.out)/float64(c.bytes()), t.encode*1e3)
	}
	fmt.Println()
	return nil
}

// printVariants tries them in turns, so that a slow moment of the machine meets them all.
func (s *session) printVariants(columns []pageColumn) error {
	trials := make([]trial, len(variants))
	for range s.flags.repeat {
		for i, v := range variants {
			var pages [][]byte
			for _, c := range columns {
				pages = append(pages, c.cut(v.pageKiB)...)
			}
			if err := trials[i].try(v, pages); err != nil {
				return err
			}
		}
	}
	fmt.Println("| pages | size | CPU ms to compress | CPU ms to decompress |\n|---|---|---|---|")
	for i, t := range trials {
		fmt.Printf("| %s | %.3f | %.0f | %.0f |\n", variants[i].name, float64(t.out)/float64(trials[0].out), t.encode*1e3, t.decode*1e3)
	}
	fmt.Println()
	return nil
}

// printLibzstd shows what the zstd command makes of the same pages, if there is one, in blocks of as many bytes as a page has at most.
func (s *session) printLibzstd(columns []pageColumn) error {
	if _, err := exec.LookPath("zstd"); err != nil {
		return nil
	}
	file := filepath.Join(s.dir, "pages")
	var pages []byte
	for _, c := range columns {
		pages = append(pages, bytes.Join(c.cut(0), nil)...)
	}
	if err := os.WriteFile(file, pages, 0o644); err != nil {
		return err
	}
	for level := 1; level <= 3; level += 2 {
		out, err := exec.CommandContext(s.ctx, "zstd", "-q", fmt.Sprint("-b", level), "-B128KB", file).CombinedOutput()
		if err != nil {
			return fmt.Errorf("zstd: %w: %s", err, out)
		}
		fmt.Printf("zstd -b%d -B128KB: %s\n", level, bytes.TrimSpace(out))
	}
	return nil
}
