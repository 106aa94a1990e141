//go:build unix

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// hashAlone reads every file of an archive and takes its SHA-256. Arguments: archive, goroutines.
func hashAlone(_ context.Context, args []string) (usage, error) {
	return eachFile(args, func(f *os.File, memory []byte) (int64, error) {
		return io.CopyBuffer(sha256.New(), struct{ io.Reader }{f}, memory)
	})
}

// footersAlone opens every segment of an archive and reads its footer, without looking into it. Arguments: archive, goroutines.
func footersAlone(_ context.Context, args []string) (usage, error) {
	return eachFile(args, func(f *os.File, memory []byte) (int64, error) {
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		// Parquet ends with the length of the footer in four bytes, and four more that say what it is.
		const tail = 8
		if _, err := f.ReadAt(memory[:tail], info.Size()-tail); err != nil {
			return 0, err
		}
		n := min(int64(binary.LittleEndian.Uint32(memory)), info.Size()-tail, int64(len(memory)))
		_, err = f.ReadAt(memory[:n], info.Size()-tail-n)
		return n + tail, err
	})
}

func eachFile(args []string, read func(f *os.File, memory []byte) (int64, error)) (usage, error) {
	goroutines, err := strconv.Atoi(args[1])
	if err != nil {
		return usage{}, err
	}
	watch := startWatch()
	files, err := segmentFiles(args[0])
	if err != nil {
		return usage{}, err
	}
	memory, bytes := make([][]byte, goroutines), make([]int64, goroutines)
	for i := range memory {
		memory[i] = make([]byte, 1<<20)
	}
	err = spread(goroutines, len(files), func(worker, i int) error {
		f, err := os.Open(files[i])
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := read(f, memory[worker])
		bytes[worker] += n
		return err
	})
	u := watch.stop()
	for _, n := range bytes {
		u.Out += n
	}
	u.Goroutines = goroutines
	return u, err
}

func segmentFiles(archive string) (files []string, err error) {
	err = filepath.WalkDir(filepath.Join(archive, "data"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	return files, err
}
