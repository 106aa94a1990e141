//go:build unix

package main

import (
	"context"
	"crypto/sha256"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
)

const (
	blockBytes  = 1 << 20 // what the zstd floors compress at once
	blocksAhead = 4       // of each goroutine, made before any of them is compressed
)

// compressAlone compresses the canonical bytes of a dataset in row order, block by block, on some goroutines. Arguments: dataset, share,
// level, goroutines.
func compressAlone(_ context.Context, args []string) (usage, error) {
	c, err := compressBlocks(args, false)
	return c.took, err
}

// compressor compresses blocks that are made in turns: making them is not measured, and no collector runs while they are compressed.
type compressor struct {
	encoder    *zstd.Encoder
	goroutines int
	keep       bool

	blocks     [][]byte // to be compressed, the last one still growing
	compressed [][]byte // with keep all of them, in order
	out        [][]byte // one for each of blocks
	took       usage
}

func compressBlocks(args []string, keep bool) (*compressor, error) {
	c := &compressor{keep: keep}
	d, err := pick(args)
	if err != nil {
		return c, err
	}
	level, err := strconv.Atoi(args[2])
	if err != nil {
		return c, err
	}
	if c.goroutines, err = strconv.Atoi(args[3]); err != nil {
		return c, err
	}
	c.out = make([][]byte, blocksAhead*c.goroutines)
	c.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(c.goroutines))
	if err != nil {
		return c, err
	}
	debug.SetGCPercent(-1)
	err = d.each(func(_ int, r *format.Record) error { return c.add(r) })
	if err == nil {
		err = c.flush()
	}
	c.took.Goroutines = c.goroutines
	return c, err
}

func (c *compressor) add(r *format.Record) error {
	last := len(c.blocks) - 1
	if last < 0 || len(c.blocks[last]) >= blockBytes {
		if len(c.blocks) == len(c.out) {
			if err := c.flush(); err != nil {
				return err
			}
		}
		last = len(c.blocks)
		c.blocks = append(c.blocks, make([]byte, 0, blockBytes+blockBytes/4))
	}
	c.blocks[last] = format.AppendCanonical(c.blocks[last], r)
	c.took.Records++
	return nil
}

func (c *compressor) flush() error {
	runtime.GC()
	watch := startWatch()
	err := spread(c.goroutines, len(c.blocks), func(_, i int) error {
		c.out[i] = c.encoder.EncodeAll(c.blocks[i], c.out[i][:0])
		return nil
	})
	took := watch.stop()
	c.took.Wall, c.took.CPU = c.took.Wall+took.Wall, c.took.CPU+took.CPU
	for i, b := range c.blocks {
		c.took.Bytes, c.took.Out = c.took.Bytes+int64(len(b)), c.took.Out+int64(len(c.out[i]))
		if c.keep {
			c.compressed, c.out[i] = append(c.compressed, c.out[i]), nil
		}
	}
	c.blocks = c.blocks[:0]
	return err
}

// decompressAlone decompresses what compressAlone made. Arguments as there.
func decompressAlone(_ context.Context, args []string) (usage, error) {
	return eachBlock(args, func(_, _ []byte) {})
}

// checkAlone does what a check of everything cannot leave out: SHA-256 of what is stored, decompressing it, and XXH3-128 of what comes
// out. Arguments as for compressAlone.
func checkAlone(_ context.Context, args []string) (usage, error) {
	return eachBlock(args, func(stored, block []byte) {
		sha256.Sum256(stored)
		xxh3.Hash128(block)
	})
}

func eachBlock(args []string, use func(stored, block []byte)) (usage, error) {
	made, err := compressBlocks(args, true)
	if err != nil {
		return usage{}, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(made.goroutines))
	if err != nil {
		return usage{}, err
	}
	memory := make([][]byte, made.goroutines)
	for i := range memory {
		memory[i] = make([]byte, 0, 2*blockBytes)
	}
	runtime.GC()
	watch := startWatch()
	err = spread(made.goroutines, len(made.compressed), func(worker, i int) error {
		block, err := d.DecodeAll(made.compressed[i], memory[worker])
		use(made.compressed[i], block)
		return err
	})
	u := watch.stop()
	u.Records, u.Bytes, u.Goroutines = made.took.Records, made.took.Bytes, made.goroutines
	return u, err
}
