package reshape

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readSteps reads what follows the root of a path, and gives it without brackets. A header is one step, whatever dots it has.
func readSteps(s string, header bool) (string, error) {
	var steps []string
	for s != "" {
		if rest, ok := cutDocument(s); ok && !header {
			if len(steps) == 0 && (rest == "" || rest[0] == '|') {
				return "", errors.New(insideName + " leads from a string into the JSON in it")
			}
			if len(steps) == 0 {
				steps = []string{""}
			}
			steps[len(steps)-1] += insideName
			s = rest
			continue
		}
		step, rest, err := readStep(s, header)
		if err != nil {
			return "", err
		}
		steps, s = append(steps, step), rest
	}
	if header && len(steps) > 1 {
		return "", errors.New("a header has no fields")
	}
	return strings.Join(steps, "."), nil
}

// cutDocument cuts |json from the start of s, if nothing but a step follows it.
func cutDocument(s string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, insideName)
	return rest, ok && (rest == "" || rest[0] == '.' || isQuotedBracket(rest) || strings.HasPrefix(rest, insideName))
}

// readStep reads the first step of s, which is not empty.
func readStep(s string, header bool) (step, rest string, err error) {
	if s[0] == '[' {
		name, rest, err := readBracket(s)
		if err == nil && (name == "" || !utf8.ValidString(name)) {
			err = errors.New("a name that is empty or no UTF-8")
		}
		return escapeName(name), rest, err
	}
	if s[0] != '.' {
		return "", "", fmt.Errorf("%q is no step", s)
	}
	s = s[1:]
	end := componentEnd(s, header)
	component := s[:end]
	if isQuery(component) {
		return component, s[end:], nil
	}
	return component, s[end:], checkComponent(component, header)
}

// componentEnd is where a component ends: at a dot, or at the bracket of a quoted name.
func componentEnd(s string, header bool) int {
	if isQuery(s) {
		return queryEnd(s)
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '.' && !header, isQuotedBracket(s[i:]) && i > 0:
			return i
		case s[i] == '|' && !header:
			if _, ok := cutDocument(s[i:]); ok {
				return i
			}
		}
	}
	return len(s)
}

// isQuery says that a component chooses elements by what is in them, as gjson has it.
func isQuery(s string) bool { return strings.HasPrefix(s, "#(") }

// queryEnd is behind the brackets of a query and the # that may follow it. Without closing brackets it is the end.
func queryEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1 + len(s[i+1:]) - len(strings.TrimPrefix(s[i+1:], "#"))
			}
		}
	}
	return len(s)
}

func isQuotedBracket(s string) bool {
	return len(s) > 1 && s[0] == '[' && (s[1] == '"' || s[1] == '\'')
}

// readBracket reads ["name"] or ['name'] at the start of s.
func readBracket(s string) (name, rest string, err error) {
	if !isQuotedBracket(s) {
		return "", "", errors.New("brackets are for names in quotes, elements stand behind a dot")
	}
	end := 2
	for end < len(s) && s[end] != s[1] {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end+1 >= len(s) || s[end+1] != ']' {
		return "", "", fmt.Errorf("%c] is missing", s[1])
	}
	body := s[2:end]
	if s[1] == '\'' {
		body = strings.NewReplacer(`\'`, `'`, `"`, `\"`).Replace(body)
	}
	name, err = strconv.Unquote(`"` + body + `"`)
	if err != nil {
		return "", "", fmt.Errorf("%s is no name in quotes", s[1:end+1])
	}
	return name, s[end+2:], nil
}

// checkComponent refuses what is not a name, a number, # or a glob. That may well be a name, but is more often another language's
// spelling of a path, which would lead nowhere.
func checkComponent(c string, header bool) error {
	plain := withoutEscapes(c)
	switch {
	case c == "":
		return errors.New("an empty name")
	case header && (strings.HasPrefix(c, ".") || strings.HasSuffix(c, ".") && !escaped(c[:len(c)-1])):
		return errors.New("an empty name")
	case strings.Contains(plain, "**"):
		return errors.New("** is not known: write one * for each level")
	case c == "#":
		return nil
	case strings.HasPrefix(c, "@"), strings.HasPrefix(c, "!"), strings.HasPrefix(c, "#"):
		return fmt.Errorf("%q begins with a %c, which has no meaning here", c, c[0])
	case len(c) > 1 && c[0] == '-' && strings.Trim(c[1:], "0123456789") == "":
		return errors.New("elements count from 0 up")
	case (strings.HasSuffix(c, "$") || strings.HasSuffix(c, "+")) && !escaped(c[:len(c)-1]):
		return fmt.Errorf("a path is no regular expression, %q", c)
	}
	if at := strings.IndexAny(plain, "[](){}|^\"'`,;<>/"); at >= 0 {
		return fmt.Errorf("%q has no meaning here", plain[at:at+1])
	}
	if strings.TrimSpace(plain) != plain {
		return errors.New("a name begins or ends with a space")
	}
	return checkLetters(plain)
}

// escaped says that an odd number of backslashes stands at the end of s.
func escaped(s string) bool { return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1 }

// withoutEscapes is what of a component stands for itself no more: all that has no backslash before it.
func withoutEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			_, n := utf8.DecodeRuneInString(s[i+1:])
			i += n
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// lookalikes are characters that look like those of a path, and what they look like.
var lookalikes = strings.NewReplacer(
	"\u2024", ".", "\u3002", ".", "\uff0e", ".", "\ufe52", ".", "\uff61", ".", "\u00b7", ".", "\uff0a", "*", "\u2217", "*", "\u204e", "*",
	"\uff03", "#", "\ufe5f", "#", "\uff3f", "_", "\uff0d", "-", "\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2212", "-",
	"\uff1f", "?", "\uff3b", "[", "\uff3d", "]", "\uff20", "@", "\uff1d", "=", "\u201c", `"`, "\u201d", `"`, "\u00a0", "", "\u200b", "",
	"\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "")

// checkLetters refuses characters that a reader takes for others.
func checkLetters(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not UTF-8")
	}
	latin, other := false, false
	for _, r := range s {
		switch text := string(r); {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zs, r) && r != ' ':
			return fmt.Errorf("%+q cannot be seen", r)
		case lookalikes.Replace(text) != text:
			return fmt.Errorf("%+q looks like %s", r, lookalikes.Replace(text))
		case r >= 0xff01 && r <= 0xff5e:
			return fmt.Errorf("%+q looks like %c", r, r-0xff01+'!')
		}
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek)
	}
	if latin && other {
		return fmt.Errorf("%+q mixes letters that look alike", s)
	}
	return nil
}

// escapeName puts backslashes where a path would read something else.
func escapeName(name string) string { return escapeSteps(name, false) }

// escapeHeader does the same for the name of a header, in which dots stand for themselves.
func escapeHeader(name string) string { return escapeSteps(name, true) }

const pathSyntax = "*?=[](){}|^\"'`,;<>/\\"

func escapeSteps(name string, header bool) string {
	odd := checkLetters(name) != nil
	var b strings.Builder
	for i, r := range name {
		last := i+utf8.RuneLen(r) == len(name)
		switch {
		case r == '.' && (!header || i == 0 || last), strings.ContainsRune(pathSyntax, r), r < ' ', r >= 0x7f && odd,
			i == 0 && strings.ContainsRune("@!#-", r), (i == 0 || last) && unicode.IsSpace(r), last && (r == '$' || r == '+'):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// respelled is an ending for messages that has the path as it was probably meant.
func respelled(s string) string {
	first := s[:len(s)-len(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
	if _, known := findRoot(first); !known {
		if hint := nearest(first, rootNames); hint != "" {
			return hint
		}
	}
	meant := respell(s)
	if p, err := parsePath(meant); err == nil && meant != s && p.root <= HeadersRoot {
		return fmt.Sprintf("; write %s, or a name with such characters as value[\"…\"]", meant)
	}
	return `; a name with such characters is written value["…"]`
}

var jsonPath = strings.NewReplacer(`["`, ".", `['`, ".", `"]`, "", `']`, "", "[*]", ".#", "[]", ".#", "[", ".", "]", "", "/", ".", "**", "*")

// respell makes a path of what other languages have for one: $.a.b[0].c, .a[].b, /a/b.
func respell(s string) string {
	s = lookalikes.Replace(s)
	s = strings.TrimLeft(s, "$")
	s = jsonPath.Replace(s)
	for strings.Contains(s, "..") {
		s = strings.ReplaceAll(s, "..", ".")
	}
	s = strings.Trim(s, ". ")
	first, _, _ := strings.Cut(s, ".")
	if _, ok := findRoot(first); !ok && s != "" {
		s = "value." + s
	}
	return s
}
