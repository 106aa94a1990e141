package schema

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format/origin"
)

// File is a schema from a file, for the payloads of topics that say nothing of their schema, or for an id that they name.
type File struct {
	topics string // a name or a glob
	part   Part
	id     int32 // not 0: it is the schema of that id, and of no topic
	name   string
	coding coding
	schema origin.Schema // of an id
}

// FileUsage is how ParseFile wants it spelled.
const FileUsage = "TOPIC=FILE, TOPIC:key=FILE or ID=FILE; of Protobuf FILE#MESSAGE"

// maxFile bounds a file with a schema.
const maxFile = 16 << 20

// ParseFile reads a schema that is spelled as FileUsage says. Read gives the content of files. What a file is goes by its name: Avro .avsc, Protobuf
// .proto, with imports from the directory of the file, and sets of descriptors .desc, .binpb, .pb or .protoset.
func ParseFile(text string, read func(name string) ([]byte, error)) (File, error) {
	of, name, ok := strings.Cut(text, "=")
	if !ok || of == "" || name == "" {
		return File{}, fmt.Errorf("%q is no schema: give %s", text, FileUsage)
	}
	f := File{topics: TopicOf(text), name: name}
	if strings.HasSuffix(of, ":key") {
		f.part = Key
	}
	if _, err := path.Match(f.topics, ""); err != nil {
		return File{}, fmt.Errorf("%q is no name or glob of topics", f.topics)
	}
	if id, err := strconv.ParseInt(of, 10, 32); err == nil && id > 0 {
		f.id = int32(id)
	}
	if err := f.load(read); err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// TopicOf is the topic, or the glob of topics, in what ParseFile reads, or the id of a schema.
func TopicOf(text string) string {
	of, _, _ := strings.Cut(text, "=")
	of = strings.TrimSuffix(of, ":key")
	return strings.TrimSuffix(of, ":value")
}

func (f *File) load(read func(string) ([]byte, error)) error {
	file, message, _ := strings.Cut(f.name, "#")
	content, err := read(file)
	if err != nil {
		return err
	}
	if len(content) > maxFile {
		return errTooLarge
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".avsc":
		return f.loadAvro(string(content))
	case ".proto":
		return f.loadProto(string(content), file, message, read)
	case ".desc", ".binpb", ".pb", ".protoset":
		if f.id > 0 {
			return errors.New("the schema of an id is a .avsc or .proto file")
		}
		m, err := readDescriptorSet(bytes.NewReader(content), message)
		f.coding = protobufMessage{m}
		return err
	}
	return errors.New("what schema it is goes by its name: .avsc for Avro, .proto for Protobuf, .desc, .binpb, .pb or .protoset for a set of descriptors")
}

func (f *File) loadAvro(text string) error {
	if f.id > 0 {
		f.schema = origin.Schema{ID: f.id, Type: origin.AvroSchema, Text: text}
	}
	l, err := compileAvro([]named{{"", &entry{Schema: origin.Schema{Text: text}}}})
	if err == nil {
		f.coding = l.(avroLanguage)
	}
	return err
}

func (f *File) loadProto(text, file, message string, read func(string) ([]byte, error)) error {
	descriptor, err := compileProto(mainProto, func(name string) (string, error) {
		if name == mainProto {
			return text, nil
		}
		b, err := read(filepath.Join(filepath.Dir(file), filepath.FromSlash(name)))
		return string(b), err
	})
	if err != nil {
		return err
	}
	if f.id > 0 {
		f.schema = origin.Schema{ID: f.id, Type: origin.ProtobufSchema, Text: text}
		if message != "" {
			return errors.New("payloads of an id name their message themselves")
		}
		return nil
	}
	m, err := messageNamed(message, descriptor, inFile(descriptor))
	f.coding = protobufMessage{m}
	return err
}

// AddFiles puts in schemas from files. For a topic the first that fits is taken.
func (s *Set) AddFiles(files ...File) error {
	for _, f := range files {
		if f.id > 0 {
			if err := s.Add(f.schema); err != nil {
				return err
			}
			continue
		}
		s.mu.Lock()
		s.files = append(s.files, f)
		s.mu.Unlock()
	}
	return nil
}

// fileOf is the schema of a topic's payloads; nil: none was given.
func (s *Set) fileOf(topic string, part Part) *File {
	if len(s.files) == 0 {
		return nil
	}
	i := slices.IndexFunc(s.files, func(f File) bool {
		match, err := path.Match(f.topics, topic)
		return f.part == part && match && err == nil
	})
	if i < 0 {
		return nil
	}
	return &s.files[i]
}

// AppendFor appends a document as a payload of the schema that a file gives for a topic; where there is none, as it is. Null stays null.
func (s *Set) AppendFor(dst []byte, topic string, part Part, document []byte) ([]byte, error) {
	f := s.fileOf(topic, part)
	switch {
	case document == nil:
		return nil, nil
	case f == nil:
		return append(dst, document...), nil
	}
	out, err := f.coding.appendChanged(dst, nil, document)
	if out == nil && err == nil {
		out = []byte{} // a value of no bytes is not null
	}
	return out, err
}

func (f *File) payload(b []byte) (Payload, bool, error) {
	return Payload{body: b, of: f.name, coding: f.coding}, true, nil
}
