package format

// columnSource gives the columns of a row group of a Parquet segment, page by page or in other steps. What it gives is its own again after
// use returned, but for the bytes of kept payloads. Its errors name the column.
type columnSource interface {
	numbers(column int, use func([]int64) error) error
	payloads(column int, use func(levels, payloadValues) error) error
}

// levels say of each value of a column whether it is there: definitions, and, in a column of headers, repetitions, of which 0 begins
// a row.
type levels struct{ definitions, repetitions []byte }

// payloadValues are byte arrays, one after the other.
type payloadValues struct {
	lengths []int64
	bytes   []byte
}

// next returns the next value, which is never nil.
func (v *payloadValues) next() []byte {
	n := v.lengths[0]
	b := v.bytes[:n:n]
	v.lengths, v.bytes = v.lengths[1:], v.bytes[n:]
	return b
}

// assembly puts the columns of a row group together to records.
type assembly struct {
	records []Record
	rest    []Record // that the column which is read has nothing for yet
	headers []Header // of all records, in order
	counts  []int32  // headers of each record
	row     int      // of the header key that was read last
	valued  int      // headers whose value was read
	keys    keyCache
}

// assemble reads rows records in the memory of m.
func assemble(from columnSource, rows int, m *Buffer) ([]Record, error) {
	a := &assembly{records: m.rows(rows), counts: m.zeros(rows), headers: m.headers[:0], row: -1}
	for _, c := range numberColumns {
		if err := a.read(c.column, func() error { return from.numbers(c.column, a.setNumbers(c.set)) }); err != nil {
			return nil, err
		}
	}
	for _, c := range payloadColumns {
		if err := a.read(c.column, func() error { return from.payloads(c.column, a.setPayloads(c.set)) }); err != nil {
			return nil, err
		}
	}
	if err := a.readHeaders(from); err != nil {
		return nil, err
	}
	m.headers = a.headers
	a.divideHeaders()
	return a.records, nil
}

// The columns of one value a record.
var (
	numberColumns = []struct {
		column int
		set    func(*Record, int64)
	}{
		{readOffset, func(r *Record, v int64) { r.Offset = v }},
		{readTimestamp, func(r *Record, v int64) { r.TimestampMs = v }},
		{readTimestampType, func(r *Record, v int64) { r.TimestampType = TimestampType(v) }},
		{readLeaderEpoch, func(r *Record, v int64) { r.LeaderEpoch = int32(v) }},
	}
	payloadColumns = []struct {
		column int
		set    func(*Record, []byte)
	}{
		{readKey, func(r *Record, v []byte) { r.Key = v }},
		{readValue, func(r *Record, v []byte) { r.Value = v }},
	}
)

// read reads a column that has something for each record.
func (a *assembly) read(column int, columnOf func() error) error {
	a.rest = a.records
	err := columnOf()
	if err == nil && len(a.rest) > 0 {
		err = corruptf("column %s: ends early", columnPaths[column])
	}
	return err
}

func (a *assembly) setNumbers(set func(*Record, int64)) func([]int64) error {
	return func(values []int64) error {
		if len(values) > len(a.rest) {
			return corruptf("%d values for %d rows", len(values), len(a.rest))
		}
		for i, v := range values {
			set(&a.rest[i], v)
		}
		a.rest = a.rest[len(values):]
		return nil
	}
}

func (a *assembly) setPayloads(set func(*Record, []byte)) func(levels, payloadValues) error {
	return func(l levels, v payloadValues) error {
		if len(l.definitions) > len(a.rest) {
			return corruptf("more values than rows")
		}
		for i, level := range l.definitions {
			var payload []byte
			if level == definedPayload {
				payload = v.next()
			}
			set(&a.rest[i], payload)
		}
		a.rest = a.rest[len(l.definitions):]
		return nil
	}
}

func (a *assembly) readHeaders(from columnSource) error {
	err := from.payloads(readHeaderKey, a.addHeaderKeys)
	if err == nil && a.row+1 != len(a.records) {
		err = corruptf("headers of %d rows for %d", a.row+1, len(a.records))
	}
	if err != nil {
		return err
	}
	err = from.payloads(readHeaderValue, a.setHeaderValues)
	if err == nil && a.valued != len(a.headers) {
		err = corruptf("%d header values for %d keys", a.valued, len(a.headers))
	}
	return err
}

func (a *assembly) addHeaderKeys(l levels, v payloadValues) error {
	for i, level := range l.definitions {
		if l.repetitions[i] == 0 {
			a.row++
		}
		if a.row < 0 || a.row >= len(a.records) {
			return corruptf("more rows than %d", len(a.records))
		}
		if level == definedHeader {
			a.headers = append(a.headers, Header{Key: a.keys.intern(int(a.counts[a.row]), v.next())})
			a.counts[a.row]++
		}
	}
	return nil
}

// setHeaderValues fills in the values of the headers whose keys were read: one level each, and one for a record without headers.
func (a *assembly) setHeaderValues(l levels, v payloadValues) error {
	for _, level := range l.definitions {
		if level < definedHeader {
			continue
		}
		if a.valued == len(a.headers) {
			return corruptf("more header values than keys")
		}
		if level == definedHeaderValue {
			a.headers[a.valued].Value = v.next()
		}
		a.valued++
	}
	return nil
}

// divideHeaders gives each record its own.
func (a *assembly) divideHeaders() {
	rest := a.headers
	for i := range a.records {
		var headers []Header
		if n := a.counts[i]; n > 0 {
			headers, rest = rest[:n:n], rest[n:]
		}
		a.records[i].Headers = headers
	}
}

// payloadShape is what the levels of a column of payloads mean.
type payloadShape struct {
	repetitionBits, definitionBits int
	defined                        byte // the definition of a value that is there
	kept                           bool // records point to the bytes
}

func payloadShapeOf(column int) payloadShape {
	switch column {
	case readHeaderKey:
		return payloadShape{1, 1, definedHeader, false}
	case readHeaderValue:
		return payloadShape{1, 2, definedHeaderValue, true}
	}
	return payloadShape{0, 1, definedPayload, true}
}

// keyCache makes one string of equal header keys: most records have the keys of the one before, in the same order.
type keyCache struct {
	last  []string
	known map[string]string
}

// maxInterned bounds the map of header keys: they repeat, or are not worth a map.
const maxInterned = 1024

func (k *keyCache) intern(place int, b []byte) string {
	if place < len(k.last) && k.last[place] == string(b) {
		return k.last[place]
	}
	s := k.find(b)
	if place < len(k.last) {
		k.last[place] = s
	} else if place < maxInterned {
		k.last = append(k.last, s)
	}
	return s
}

func (k *keyCache) find(b []byte) string {
	if s, ok := k.known[string(b)]; ok {
		return s
	}
	if k.known == nil {
		k.known = map[string]string{}
	}
	s := string(b)
	if len(k.known) < maxInterned {
		k.known[s] = s
	}
	return s
}

// arena copies payloads into large blocks. What it returned never moves.
type arena struct{ free []byte }

const arenaBlock = 1 << 20

// take returns n bytes of any content.
func (a *arena) take(n int) []byte {
	if a.free == nil || n > len(a.free) { // an empty value is not nil, which is null
		if n >= arenaBlock/4 {
			return make([]byte, n)
		}
		a.free = make([]byte, arenaBlock)
	}
	out := a.free[:n:n]
	a.free = a.free[n:]
	return out
}
