package lines

// scanner finds where a JSON value ends, and where text cannot be one any more. It looks at structure alone: what stands between quotes and
// how numbers and words are spelled is checked by others, once the value is whole.
type scanner struct {
	want   want
	open   []byte // the brackets that are to be closed
	escape bool   // behind a backslash
	key    bool   // the string is a name
}

// want is what may come next.
type want uint8

const (
	wantValue      want = iota
	wantValueOrEnd      // behind [
	wantName            // behind a comma
	wantNameOrEnd       // behind {
	wantColon           // behind a name
	wantComma           // or the end, behind a value
	wantQuote           // in a string
	wantWord            // in a number, true, false or null
)

// verdict is what a scanner says of text.
type verdict uint8

const (
	more  verdict = iota // the value goes on
	whole                // it ends before the byte that was returned
	wrong                // it is none
)

// scan goes on with the next bytes of the text. With whole, n of them are of the value.
func (s *scanner) scan(b []byte) (n int, v verdict) {
	for i := 0; i < len(b); i++ {
		if s.want == wantWord {
			if !endsWord(b[i]) {
				continue
			}
			s.want = wantComma
			if len(s.open) == 0 {
				return i, whole
			}
		}
		if !s.take(b[i]) {
			return i, wrong
		}
		if len(s.open) == 0 && s.want == wantComma {
			return i + 1, whole
		}
	}
	return len(b), more
}

// line goes on with the next line: the break before it is a space, or may not be there.
func (s *scanner) line(b []byte) (n int, v verdict) {
	if _, v := s.scan([]byte{'\n'}); v != more {
		return 0, v
	}
	return s.scan(b)
}

// end says whether the text may end here, with its line.
func (s *scanner) end() bool { return s.want == wantWord && len(s.open) == 0 }

func endsWord(c byte) bool { return isSpace(c) || c == ',' || c == ':' || c == '"' || isBracket(c) }

func isBracket(c byte) bool { return c == '{' || c == '}' || c == '[' || c == ']' }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// take takes a byte, and says whether it may stand here.
func (s *scanner) take(c byte) bool {
	switch {
	case s.want == wantQuote:
		return s.inString(c)
	case isSpace(c):
		return true
	}
	switch s.want {
	case wantValue:
		return s.value(c)
	case wantValueOrEnd:
		return s.close(c, ']') || s.value(c)
	case wantName, wantNameOrEnd:
		if s.want == wantNameOrEnd && s.close(c, '}') {
			return true
		}
		s.want, s.key = wantQuote, true
		return c == '"'
	case wantColon:
		s.want = wantValue
		return c == ':'
	}
	return s.behindValue(c)
}

func (s *scanner) inString(c byte) bool {
	switch {
	case s.escape:
		s.escape = false
	case c == '\\':
		s.escape = true
	case c == '"' && s.key:
		s.want, s.key = wantColon, false
	case c == '"':
		s.want = wantComma
	}
	return c >= ' '
}

func (s *scanner) value(c byte) bool {
	switch c {
	case '{', '[':
		return s.nest(c)
	case '"':
		s.want = wantQuote
	default:
		s.want = wantWord
		return !endsWord(c)
	}
	return true
}

func (s *scanner) nest(c byte) bool {
	switch c {
	case '{':
		s.open, s.want = append(s.open, '}'), wantNameOrEnd
	case '[':
		s.open, s.want = append(s.open, ']'), wantValueOrEnd
	}
	return len(s.open) <= maxDepth
}

func (s *scanner) behindValue(c byte) bool {
	last := s.open[len(s.open)-1]
	if c != ',' {
		return s.close(c, last)
	}
	s.want = wantValue
	if last == '}' {
		s.want = wantName
	}
	return true
}

func (s *scanner) close(c, bracket byte) bool {
	if c != bracket || s.open[len(s.open)-1] != bracket {
		return false
	}
	s.open, s.want = s.open[:len(s.open)-1], wantComma
	return true
}
