package schema

// avroLanguage is a compiled Avro schema.
type avroLanguage struct{ root *avroType }

// compileAvro compiles the last of schemas, which may name types of the others.
func compileAvro(all []named) (language, error) {
	var c avroCompiler
	var root *avroType
	for _, one := range all {
		t, err := c.compile(one.Text)
		if err != nil {
			return nil, err
		}
		root = t
	}
	return avroLanguage{root}, nil
}

func (l avroLanguage) open([]byte) (coding, int, error) { return l, 0, nil }

func (l avroLanguage) appendJSON(dst, body []byte) ([]byte, error) {
	var d avroDecoder
	return d.appendJSON(dst, l.root, body)
}

func (l avroLanguage) appendChanged(dst, before, document []byte) ([]byte, error) {
	var e avroEncoder
	return e.encode(dst, l.root, before, document)
}
