package connect

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/magiconair/properties"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

// loadFile reads a client.properties file. Its values are taken as they are: a password there may begin with @. source says who named the
// file.
func (c *Config) loadFile(name, source string) error {
	data, err := c.readFile(name)
	if err != nil {
		return &SettingError{From: source, Err: unread(err)}
	}
	f := propertiesFile{config: c, from: filepath.Base(name), layer: map[string]setting{}}
	if name == "-" {
		f.from = "stdin"
	}
	for _, line := range logicalLines(data) {
		if err := f.take(line, utf8.Valid(data)); err != nil {
			return err
		}
	}
	f.note()
	c.override(f.layer)
	for key := range f.layer {
		if isSecret(key) {
			c.checkPrivate(f.from+" holds "+key, name)
			break
		}
	}
	return nil
}

// logicalLine is a line of a properties file with those that go on behind a backslash.
type logicalLine struct {
	number int // of the first, from 1
	text   []byte
}

// logicalLines parts a file as Java does, without blank lines and comments.
func logicalLines(data []byte) (lines []logicalLine) {
	goesOn, number := false, 0
	for len(data) > 0 {
		number++
		var natural []byte
		natural, data = cutLine(data)
		bare := bytes.TrimLeft(natural, " \t\f")
		switch {
		case goesOn:
			last := &lines[len(lines)-1]
			last.text = append(last.text[:len(last.text)-1], bare...) // without the backslash
		case len(bare) == 0 || bare[0] == '#' || bare[0] == '!':
			continue
		default:
			lines = append(lines, logicalLine{number, bytes.Clone(bare)})
		}
		goesOn = endsOpen(bare)
	}
	return lines
}

// cutLine parts the first line from the rest, at any of the three line ends.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return data, nil
	case bytes.HasPrefix(data[i:], []byte("\r\n")):
		return data[:i], data[i+2:]
	}
	return data[:i], data[i+1:]
}

// endsOpen says that the last backslash of a line is not escaped itself.
func endsOpen(line []byte) bool {
	return (len(line)-len(bytes.TrimRight(line, `\`)))%2 == 1
}

// parse reads Java's properties format. Java takes a file for ISO 8859-1, librdkafka for UTF-8: one that is valid UTF-8 is read as that.
func (l logicalLine) parse(isUTF8 bool) (key, value string, err error) {
	loader := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
	if !isUTF8 {
		loader.Encoding = properties.ISO_8859_1
	}
	p, err := loader.LoadBytes(l.text)
	if err != nil || p.Len() != 1 {
		return "", "", errors.New("not key=value") // the parser's message may show a value
	}
	key = p.Keys()[0]
	value, _ = p.Get(key)
	return key, value, nil
}

// propertiesFile is a file that is being read.
type propertiesFile struct {
	config  *Config
	from    string
	layer   map[string]setting
	ignored []string // names that have no meaning for karchive
	unnamed []int    // lines that hold no setting, and perhaps a secret
}

func (f *propertiesFile) take(l logicalLine, isUTF8 bool) error {
	key, value, err := l.parse(isUTF8)
	if err != nil {
		return &SettingError{From: fmt.Sprintf("%s line %d", f.from, l.number), Err: err}
	}
	name, known := canonical(key)
	switch {
	case known:
		return put(f.layer, name, value, f.from)
	case !showable(key, value):
		f.unnamed = append(f.unnamed, l.number)
	case foreign(key):
		f.ignored = append(f.ignored, key)
	default:
		f.config.noteUnknown(key, f.from)
	}
	return nil
}

func (f *propertiesFile) note() {
	if len(f.ignored) > 0 {
		f.config.note("%s: ignoring what has no meaning for karchive: %s", f.from, strings.Join(f.ignored, ", "))
	}
	if len(f.unnamed) > 0 {
		noun, verb := "line", "is"
		if len(f.unnamed) > 1 {
			noun, verb = "lines", "are"
		}
		f.config.warn(`%s: ignoring %s %s, which %s no setting and not shown, as it may be a secret; a value goes on in the next line only behind a \`,
			f.from, noun, ranges(f.unnamed), verb)
	}
}

func (c *Config) noteUnknown(key, from string) {
	if s := suggest.Nearest(key, suggestible()); s != "" {
		c.note("%s: ignoring the unknown setting %s (did you mean %s?)", from, key, s)
		return
	}
	c.note("%s: ignoring the unknown setting %s", from, key)
}

// ranges spells ascending numbers, such as 3, 5-30.
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		part := units.Count(int64(numbers[i]))
		if last > i {
			part += "-" + units.Count(int64(numbers[last]))
		}
		parts = append(parts, part)
		i = last + 1
	}
	return strings.Join(parts, ", ")
}
