package reshape

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

// formatChange puts something of the same form in the place of a text or number.
//
// Digits, small letters and capital letters of ASCII become others of their kind, all else stays where it is; so do the version and
// variant of a UUID, whose hex digits become others in small letters, and the first digit stays or does not become 0. Of the texts of one form
// each has another result (it is a permutation, keyed by the mask key and the form), and none is its own. An e-mail address becomes one
// at example.com. Of texts with other letters than those of ASCII, and of very long ones, two may have the same result. What has nothing
// to change, and what is not text, gets the token of the action hash. Of a number with 19 digits the first stays, because others would
// often not fit into 64 bits.
type formatChange struct{}

func (formatChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	switch {
	case isBlank(raw):
		return append(dst, raw...), nil
	case raw[0] == '"':
		return appendQuoted(dst, w.format(appendExact(nil, raw), false)), nil
	case raw[0] == '-' || isDigit(raw[0]):
		return append(dst, w.format(raw, true)...), nil
	}
	return hashChange{}.inJSON(w, dst, raw)
}

func (formatChange) inPayload(w *Worker, dst, b []byte) ([]byte, error) {
	return append(dst, w.format(b, false)...), nil
}

func (w *Worker) format(text []byte, number bool) []byte {
	f := w.formatter()
	switch {
	case len(text) == 0:
		return nil
	case !utf8.Valid(text):
		return w.appendToken(nil, text)
	case isAddress(text):
		name := base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(f.stream("e-mail", text, 12))
		return append([]byte(strings.ToLower(name)[:16]), "@example.com"...)
	}
	out := bytes.Clone(text)
	wheels, ascii := wheelsOf(out, number)
	switch {
	case ascii && len(wheels) == 0 && !number:
		return w.appendToken(nil, text)
	case ascii && len(wheels) <= maxWheels:
		f.permute(wheels, formOf(out, wheels))
	default:
		return f.scramble(out)
	}
	for _, at := range wheels {
		out[at.index] = at.character()
	}
	return out
}

// isAddress says that a text is an e-mail address and nothing else.
func isAddress(b []byte) bool {
	at := bytes.IndexByte(b, '@')
	return at > 0 && bytes.Count(b, []byte("@")) == 1 && hasEmail(b) && !bytes.ContainsAny(b, " \t\r\n<>(),;:\"/?=&")
}

// wheel is a character that becomes another one of its kind.
type wheel struct {
	index int // in the text
	first byte
	size  uint64 // how many there are of its kind, from first
	at    uint64
	hex   bool
}

func (w *wheel) character() byte {
	if w.hex {
		return "0123456789abcdef"[w.at]
	}
	return w.first + byte(w.at)
}

// maxWheels is how long a text may be that is permuted: the numbers grow with it.
const maxWheels = 256

// wheelsOf are the characters of a text that change; ascii is false when there are others that have to.
func wheelsOf(text []byte, number bool) (wheels []wheel, ascii bool) {
	if isUUID(text) {
		return uuidWheels(text), true
	}
	lead := true
	digits := 0
	for i, c := range text {
		switch {
		case number && (c == 'e' || c == 'E'):
			return wheels, true
		case isDigit(c):
			digits++
			switch {
			case lead && c == '0':
			case lead:
				wheels = append(wheels, wheel{index: i, first: '1', size: 9, at: uint64(c - '1')})
			default:
				wheels = append(wheels, wheel{index: i, first: '0', size: 10, at: uint64(c - '0')})
			}
			lead = false
		case 'a' <= c && c <= 'z':
			wheels = append(wheels, wheel{index: i, first: 'a', size: 26, at: uint64(c - 'a')})
		case isUpper(c):
			wheels = append(wheels, wheel{index: i, first: 'A', size: 26, at: uint64(c - 'A')})
		case c >= 0x80:
			return nil, false
		}
	}
	if digits == 19 && len(wheels) == 19 && len(bytes.TrimLeft(text, "-")) == 19 {
		wheels = wheels[1:]
	}
	return wheels, true
}

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// uuidWheels are the hex digits but version and variant. A UUID is as it mostly is, in small letters, after it.
func uuidWheels(text []byte) (wheels []wheel) {
	for i, c := range text {
		if c == '-' || i == 14 || i == 19 {
			continue
		}
		at := uint64(strings.IndexByte("0123456789abcdef", c|0x20))
		wheels = append(wheels, wheel{index: i, first: '0', size: 16, at: at, hex: true})
	}
	return wheels
}

// formOf is the text with the kind of each character that changes in its place.
func formOf(text []byte, wheels []wheel) []byte {
	form := append([]byte("form "), text...)
	for _, at := range wheels {
		form[len("form ")+at.index] = at.first
	}
	return form
}

// formatter permutes and scrambles by a key of its own, which is made of the mask key.
type formatter struct{ mac hash.Hash }

func (w *Worker) formatter() *formatter {
	if w.formats == nil {
		key := hmac.New(sha256.New, w.pipeline.rules.secret)
		key.Write([]byte("karchive hash-format"))
		w.formats = &formatter{hmac.New(sha256.New, key.Sum(nil))}
	}
	return w.formats
}

// stream is as many bytes as are wanted that the key makes of a purpose and some data.
func (f *formatter) stream(purpose string, data []byte, size int) []byte {
	f.mac.Reset()
	f.mac.Write([]byte(purpose + "\x00"))
	f.mac.Write(data)
	out := f.mac.Sum(nil)
	first := bytes.Clone(out)
	for n := uint32(1); len(out) < size; n++ {
		f.mac.Reset()
		f.mac.Write(binary.BigEndian.AppendUint32([]byte("more\x00"), n))
		f.mac.Write(first)
		out = f.mac.Sum(out)
	}
	return out[:size]
}

// rounds of the Feistel network; NIST SP 800-38G has 8 to 10.
const rounds = 10

// permute turns the wheels. The step goes through a permutation, one further, and back, so that nothing is its own.
func (f *formatter) permute(wheels []wheel, form []byte) {
	if len(wheels) == 0 {
		return
	}
	if len(wheels) == 1 {
		f.turn(&wheels[0], form)
		return
	}
	left, right := wheels[:len(wheels)/2], wheels[len(wheels)/2:]
	l, sizeL := count(left)
	r, sizeR := count(right)
	for round := range rounds {
		f.mix(l, r, sizeL, form, 2*round, 1)
		f.mix(r, l, sizeR, form, 2*round+1, 1)
	}
	if r.Add(r, big.NewInt(1)); r.Cmp(sizeR) == 0 {
		r.SetInt64(0)
		l.Mod(l.Add(l, big.NewInt(1)), sizeL)
	}
	for round := rounds - 1; round >= 0; round-- {
		f.mix(r, l, sizeR, form, 2*round+1, -1)
		f.mix(l, r, sizeL, form, 2*round, -1)
	}
	set(left, l)
	set(right, r)
}

// mix adds to one half what the key makes of the other, or takes it away.
func (f *formatter) mix(half, other, size *big.Int, form []byte, round int, sign int64) {
	data := append(append(bytes.Clone(form), 0, byte(round)), other.Bytes()...)
	step := new(big.Int).SetBytes(f.stream("mix", data, len(size.Bytes())+8))
	half.Mod(half.Add(half, step.Mul(step, big.NewInt(sign))), size)
}

// turn permutes one wheel alone: to the next in an order that the key makes.
func (f *formatter) turn(w *wheel, form []byte) {
	order := make([]uint64, w.size)
	random := f.stream("turn", form, int(w.size)*8)
	for i := range order {
		order[i] = uint64(i)
	}
	for i := len(order) - 1; i > 0; i-- {
		k := binary.BigEndian.Uint64(random[i*8:]) % uint64(i+1)
		order[i], order[k] = order[k], order[i]
	}
	for i, at := range order {
		if at == w.at {
			w.at = order[(i+1)%len(order)]
			return
		}
	}
}

// count is what wheels show as one number, and how many numbers they can show.
func count(wheels []wheel) (n, size *big.Int) {
	n, size = new(big.Int), big.NewInt(1)
	for _, w := range wheels {
		by := new(big.Int).SetUint64(w.size)
		n.Add(n.Mul(n, by), new(big.Int).SetUint64(w.at))
		size.Mul(size, by)
	}
	return n, size
}

func set(wheels []wheel, n *big.Int) {
	rest := new(big.Int)
	for i := len(wheels) - 1; i >= 0; i-- {
		n.DivMod(n, new(big.Int).SetUint64(wheels[i].size), rest)
		wheels[i].at = rest.Uint64()
	}
}

// scramble replaces every letter and digit, of whatever script, by one of ASCII.
func (f *formatter) scramble(text []byte) []byte {
	random := f.stream("scramble", text, 4*utf8.RuneCount(text))
	var out []byte
	for i, n := 0, 0; i < len(text); n++ {
		r, size := utf8.DecodeRune(text[i:])
		i += size
		pick := binary.BigEndian.Uint32(random[4*n:])
		switch {
		case unicode.IsDigit(r):
			out = append(out, '0'+byte(pick%10))
		case unicode.IsUpper(r):
			out = append(out, 'A'+byte(pick%26))
		case r < 0x80 && !isLetter(byte(r)):
			out = append(out, byte(r))
		default:
			out = append(out, 'a'+byte(pick%26))
		}
	}
	return out
}
