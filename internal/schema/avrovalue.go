package schema

// avroValue is where the parts of an encoded value are.
type avroValue struct {
	raw    []byte
	branch int            // of a union, whose only part is the value of it
	parts  []avroValue    // fields of a record, elements of an array, values of a map
	keys   []string       // of a map
	places map[string]int // of keys, once one was not where it was looked for
}

// tree reads a value that takes all of in.
func (d *avroDecoder) tree(t *avroType) (*avroValue, error) {
	var v avroValue
	err := d.read(&v, t)
	if err == nil && d.at < len(d.in) {
		err = errRest
	}
	return &v, err
}

func (d *avroDecoder) read(v *avroValue, t *avroType) error {
	if d.depth++; d.depth > maxDepth {
		return errTooDeep
	}
	from := d.at
	err := d.readParts(v, t)
	d.depth--
	v.raw = d.in[from:d.at:d.at]
	return err
}

func (d *avroDecoder) readParts(v *avroValue, t *avroType) error {
	switch t.kind {
	case avroRecord:
		v.parts = make([]avroValue, len(t.fields))
		for i := range t.fields {
			if err := d.read(&v.parts[i], t.fields[i].typ); err != nil {
				return err
			}
		}
		return nil
	case avroUnion:
		n, err := d.long()
		if err != nil || n < 0 || n >= int64(len(t.branches)) {
			return errBranch
		}
		v.branch, v.parts = int(n), make([]avroValue, 1)
		return d.read(&v.parts[0], t.branches[n])
	case avroArray, avroMap:
		return d.readBlocks(v, t)
	}
	var err error
	d.scratch, err = d.value(d.scratch[:0], t)
	return err
}

func (d *avroDecoder) readBlocks(v *avroValue, t *avroType) error {
	for {
		n, err := d.block()
		if n == 0 || err != nil {
			return err
		}
		for ; n > 0; n-- {
			if t.kind == avroMap {
				key, err := d.bytes()
				if err != nil {
					return err
				}
				v.keys = append(v.keys, string(key))
			}
			if d.parts++; d.parts > 4096+4*len(d.in) { // of no bytes each
				return errTooLarge
			}
			v.parts = append(v.parts, avroValue{})
			if err := d.read(&v.parts[len(v.parts)-1], t.of); err != nil {
				return err
			}
		}
	}
}

// part is a part of a value that was there before; nil where it was not.
func (v *avroValue) part(i int) *avroValue {
	if v == nil {
		return nil
	}
	return &v.parts[i]
}

// entry is the value of a key of a map. It is most likely the one at hint.
func (v *avroValue) entry(key string, hint int) *avroValue {
	if v == nil {
		return nil
	}
	if hint < len(v.keys) && v.keys[hint] == key {
		return &v.parts[hint]
	}
	if v.places == nil {
		v.places = map[string]int{}
		for i, key := range v.keys {
			v.places[key] = i
		}
	}
	if i, ok := v.places[key]; ok {
		return &v.parts[i]
	}
	return nil
}
