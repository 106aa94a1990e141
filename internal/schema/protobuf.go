package schema

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protobufLanguage is a compiled Protobuf file of a registry, in which payloads name a message.
type protobufLanguage struct{ file protoreflect.FileDescriptor }

// mainProto is the name of the file that is compiled, which no other one has.
const mainProto = "karchive/main.proto"

// compileProtobuf compiles the last of schemas, which may import the others.
func compileProtobuf(all []named) (language, error) {
	sources := map[string]string{}
	for _, one := range all {
		sources[one.name] = one.Text
	}
	main := all[len(all)-1].Text
	delete(sources, "")
	sources[mainProto] = main
	file, err := compileProto(mainProto, func(name string) (string, error) {
		if text, ok := sources[name]; ok {
			return text, nil
		}
		return "", protoregistry.NotFound
	})
	if err != nil {
		return nil, err
	}
	return protobufLanguage{file}, nil
}

// compileProto compiles a file. Find gives the text of it, and of those that it imports: as a .proto, or as the base64 of a descriptor.
func compileProto(name string, find func(name string) (string, error)) (protoreflect.FileDescriptor, error) {
	c := protocompile.Compiler{MaxParallelism: 1, Resolver: protocompile.WithStandardImports(protocompile.ResolverFunc(
		func(path string) (protocompile.SearchResult, error) {
			text, err := find(path)
			if err != nil {
				return protocompile.SearchResult{}, err
			}
			if nesting(text) > maxNesting {
				return protocompile.SearchResult{}, errTooDeep
			}
			if d := serialized(text); d != nil {
				d.Name = proto.String(path)
				nameInJSON(d.Extension, d.MessageType)
				return protocompile.SearchResult{Proto: d}, nil
			}
			parsed, err := parseProto(path, text)
			return protocompile.SearchResult{ParseResult: parsed}, err
		}))}
	files, err := c.Compile(context.Background(), name)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

func parseProto(path, text string) (parser.Result, error) {
	h := reporter.NewHandler(nil)
	tree, err := parser.Parse(path, strings.NewReader(text), h)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ResultFromAST(tree, true, h)
	if err != nil {
		return nil, err
	}
	d := parsed.FileDescriptorProto()
	nameInJSON(d.Extension, d.MessageType)
	return parsed, nil
}

// maxNesting bounds the braces in braces of a .proto file. A message in many others has a name as long as all of theirs, which adds up to the
// square of the file's size; protoc takes 32.
const maxNesting = 100

func nesting(text string) (most int) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
			most = max(most, depth)
		case '}':
			depth--
		}
	}
	return most
}

// serialized reads the base64 of a file's descriptor, as which some clients register schemas; nil: it is none.
func serialized(text string) *descriptorpb.FileDescriptorProto {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	d := &descriptorpb.FileDescriptorProto{}
	if err != nil || len(b) == 0 || proto.Unmarshal(b, d) != nil {
		return nil
	}
	return d
}

var errNoMessage = errors.New("the message that it names is not in its schema")

func (l protobufLanguage) open(body []byte) (coding, int, error) {
	indexes, size, err := readIndexes(body)
	if err != nil {
		return nil, 0, err
	}
	messages := l.file.Messages()
	for i, at := range indexes {
		if at < 0 || at >= messages.Len() {
			return nil, 0, errNoMessage
		}
		if m := messages.Get(at); i == len(indexes)-1 {
			return protobufMessage{m}, size, nil
		}
		messages = messages.Get(at).Messages()
	}
	return nil, 0, errNoMessage
}

// messageNamed finds a message of a file, or of those beside it. With no name the only one of the file is meant.
func messageNamed(name string, file protoreflect.FileDescriptor, beside func(protoreflect.FullName) protoreflect.Descriptor) (protoreflect.MessageDescriptor, error) {
	if name == "" && file.Messages().Len() == 1 {
		return file.Messages().Get(0), nil
	}
	if name != "" {
		for _, full := range []protoreflect.FullName{protoreflect.FullName(name), file.Package().Append(protoreflect.Name(name))} {
			if m, ok := beside(full).(protoreflect.MessageDescriptor); ok {
				return m, nil
			}
		}
	}
	var all []string
	for i := range file.Messages().Len() {
		all = append(all, string(file.Messages().Get(i).FullName()))
	}
	if name == "" {
		return nil, fmt.Errorf("it has several messages: say which, of %s", strings.Join(all, ", "))
	}
	return nil, fmt.Errorf("it has no message %s, but %s", name, strings.Join(all, ", "))
}

// inFile finds messages in a file.
func inFile(file protoreflect.FileDescriptor) func(protoreflect.FullName) protoreflect.Descriptor {
	return func(name protoreflect.FullName) protoreflect.Descriptor {
		rest := strings.TrimPrefix(string(name), string(file.Package())+".")
		messages := file.Messages()
		for {
			first, more, nested := strings.Cut(rest, ".")
			m := messages.ByName(protoreflect.Name(first))
			if m == nil || !nested {
				return m
			}
			messages, rest = m.Messages(), more
		}
	}
}

// readDescriptorSet reads a set of files, as protoc --descriptor_set_out writes it, and finds the message of a name in it.
func readDescriptorSet(r io.Reader, name string) (protoreflect.MessageDescriptor, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil || len(set.File) == 0 {
		return nil, errors.New("it is no set of descriptors")
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: false}.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	last, err := files.FindFileByPath(set.File[len(set.File)-1].GetName())
	if err != nil {
		return nil, err
	}
	return messageNamed(name, last, func(name protoreflect.FullName) protoreflect.Descriptor {
		d, err := files.FindDescriptorByName(name)
		if err != nil {
			return nil
		}
		return d
	})
}

// nameInJSON gives fields a name in Protobuf's own JSON where they have an empty one or none: descriptors that Python registers have none, and
// some registries make empty ones of them in a .proto. No two fields of a message may have the same.
func nameInJSON(fields []*descriptorpb.FieldDescriptorProto, messages []*descriptorpb.DescriptorProto) {
	for _, f := range fields {
		if f.GetJsonName() == "" {
			f.JsonName = proto.String(jsonName(f.GetName()))
		}
		if f.Options != nil {
			f.Options.UninterpretedOption = slices.DeleteFunc(f.Options.UninterpretedOption, func(o *descriptorpb.UninterpretedOption) bool {
				return len(o.Name) == 1 && !o.Name[0].GetIsExtension() && o.Name[0].GetNamePart() == "json_name" && len(o.StringValue) == 0
			})
		}
	}
	for _, m := range messages {
		nameInJSON(slices.Concat(m.Field, m.Extension), m.NestedType)
	}
}

// jsonName is what Protobuf makes of the name of a field in JSON: an underscore makes the next letter a capital.
func jsonName(name string) string {
	var out []byte
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_':
		case i > 0 && name[i-1] == '_' && 'a' <= c && c <= 'z':
			out = append(out, c-'a'+'A')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
