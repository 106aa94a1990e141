package format

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// maxSumsLine is longer than any line: a digest, two spaces, and a path with the longest topic name.
const maxSumsLine = 512

// maxSumsBytes bounds SHA256SUMS, and with it the memory of its lines: room for two million segments.
const maxSumsBytes = 256 << 20

const sha256Hex = 64

// sumsLine is a line as `sha256sum -c` reads it. Paths hold nothing that would need escaping.
func sumsLine(sha256, path string) string { return sha256 + "  " + path + "\n" }

// sumsFile is what SHA256SUMS says.
type sumsFile struct {
	digests  map[string]string // by path
	size     int64             // of the file
	whole    int64             // up to the end of the last whole line: what follows is the trace of a crash
	problems []error           // lines that are neither, up to maxSumsProblems
	more     int               // that are not in problems
}

// maxSumsProblems is how many bad lines are told one by one: a file of nothing else would take many times its size as messages.
const maxSumsProblems = 100

// loadSums reads SHA256SUMS and refuses one with a problem.
func loadSums(fsys storage.ReadFS) (*sumsFile, error) {
	s, err := readSums(fsys)
	if err == nil && len(s.problems) > 0 {
		err = s.problems[0]
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ondisk.Sums, err)
	}
	return s, nil
}

// readSums reads SHA256SUMS. One that is not there has no lines.
func readSums(fsys storage.ReadFS) (*sumsFile, error) {
	f, err := fsys.Open(ondisk.Sums)
	if errors.Is(err, fs.ErrNotExist) {
		return &sumsFile{digests: map[string]string{}}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil && size > maxSumsBytes {
		err = corruptf("%d bytes are more than the %d that it may have", size, maxSumsBytes)
	}
	if err != nil {
		return nil, err
	}
	return parseSums(io.NewSectionReader(f, 0, size))
}

func parseSums(r io.Reader) (*sumsFile, error) {
	s := &sumsFile{digests: map[string]string{}}
	in := bufio.NewReaderSize(r, maxSumsLine)
	zeros := false // the last line was bad and has zeros, which a crash leaves where a block was not written
	for n := 1; ; n++ {
		line, size, err := readLine(in)
		s.size += size
		if errors.Is(err, io.EOF) {
			s.finish(zeros)
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		zeros = false
		if wrong := s.add(line); wrong != nil {
			s.note(n, line, wrong)
			if zeros = bytes.IndexByte(line, 0) >= 0; zeros {
				continue
			}
		}
		s.whole = s.size
	}
}

// readLine returns a line without its newline, and its length with it. Of an overlong line it returns the beginning. A last line
// without a newline is no line: its length comes with io.EOF.
func readLine(in *bufio.Reader) (line []byte, size int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		size += int64(len(part))
		if line == nil {
			line = bytes.Clone(part)
		}
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), size, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, size, err
		}
	}
}

// What a line can be instead of a digest and a path.
var (
	errSumsForm  = errors.New("is not a digest and a path")
	errSumsPath  = errors.New("is not the path of a segment")
	errSumsTwice = errors.New("was listed before with another digest")
)

func (s *sumsFile) add(line []byte) error {
	sha, path, ok := strings.Cut(string(line), "  ")
	raw, err := hex.DecodeString(sha)
	if !ok || err != nil || len(raw) != sha256Hex/2 || sha != strings.ToLower(sha) {
		return errSumsForm
	}
	if _, ok := segmentAt(path); !ok {
		return errSumsPath
	}
	if old, ok := s.digests[path]; ok && old != sha {
		return errSumsTwice
	}
	s.digests[path] = sha
	return nil
}

// note keeps what is wrong with line number n.
func (s *sumsFile) note(n int, line []byte, wrong error) {
	if len(s.problems) == maxSumsProblems {
		s.more++
		return
	}
	if wrong != errSumsForm {
		line = line[sha256Hex+2:] // its path tells more
	}
	s.problems = append(s.problems, problemAt(fmt.Sprintf("line %d", n), corruptf("%.80q %v", line, wrong)))
}

// finish ends the problems; the last one does not count when it has the zeros of a crash.
func (s *sumsFile) finish(zeros bool) {
	switch {
	case zeros && s.more > 0:
		s.more--
	case zeros:
		s.problems = s.problems[:len(s.problems)-1]
	}
	if s.more > 0 {
		s.problems = append(s.problems, corruptf("%d more lines are wrong", s.more))
	}
}
