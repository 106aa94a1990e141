package connect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const jaasHint = `the form is: org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`

var errJAASForm = errors.New("cannot be parsed")

// login is a parsed sasl.jaas.config.
type login struct {
	module  string            // PLAIN, SCRAM or OAUTHBEARER
	options map[string]string // by name
}

// settings are the settings that the login stands for.
func (l login) settings() map[string]string {
	s := map[string]string{keyModule: l.module}
	give := func(key string, options ...string) {
		for _, o := range options {
			if v := l.options[o]; v != "" && s[key] == "" {
				s[key] = v
			}
		}
	}
	give(keyUsername, "username")
	give(keyPassword, "password")
	give(keyToken, "token", "oauth.access.token")
	give(keyDelegation, "tokenauth")
	var ext []string
	for name, v := range l.options {
		if name, ok := strings.CutPrefix(name, "extension_"); ok {
			ext = append(ext, name+"="+v)
		}
	}
	if len(ext) > 0 {
		slices.Sort(ext)
		s[keyExtensions] = strings.Join(ext, ",")
	}
	return s
}

// parseJAAS reads one login module with its options, in the syntax of Java's JAAS files: class, control flag, name=value pairs with
// values in single or double quotes or bare, a semicolon. Errors show no values.
func parseJAAS(s string) (login, error) {
	t, err := jaasTokens(s)
	if err != nil {
		return login{}, err
	}
	if slices.Contains(t, jaasToken{text: "{"}) {
		return login{}, fmt.Errorf("%w: this is a JAAS file's section, only the part between the braces belongs here", errJAASForm)
	}
	if len(t) < 3 || !t[len(t)-1].is(";") {
		return login{}, fmt.Errorf("%w: a login module, a control flag and a closing semicolon are needed", errJAASForm)
	}
	l := login{options: map[string]string{}}
	if l.module, err = moduleKind(t[0].text); err != nil {
		return login{}, err
	}
	if !slices.Contains([]string{"required", "requisite", "sufficient", "optional"}, strings.ToLower(t[1].text)) {
		return login{}, fmt.Errorf("%w: after the login module comes required", errJAASForm)
	}
	return l, l.readOptions(t[2 : len(t)-1])
}

func (l login) readOptions(t []jaasToken) error {
	for ; len(t) > 0; t = t[3:] {
		if len(t) < 3 || t[0].quoted || !t[1].is("=") || t[2].is("=") || t[2].is(";") {
			return fmt.Errorf("%w: option %d is not name=value", errJAASForm, len(l.options)+1)
		}
		l.options[t[0].text] = t[2].text
	}
	return nil
}

func moduleKind(class string) (string, error) {
	switch name := class[strings.LastIndexByte(class, '.')+1:]; name {
	case "PlainLoginModule":
		return "PLAIN", nil
	case "ScramLoginModule":
		return "SCRAM", nil
	case "OAuthBearerLoginModule":
		return "OAUTHBEARER", nil
	default:
		if !slices.Contains([]string{"Krb5LoginModule", "IAMLoginModule"}, name) {
			name = "in the first word" // which may be anything, and a secret
		}
		return "", fmt.Errorf("login module %s is not supported: PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule are", name)
	}
}

type jaasToken struct {
	text   string
	quoted bool
}

func (t jaasToken) is(s string) bool { return !t.quoted && t.text == s }

// jaasTokens splits s into quoted and bare words, '=', ';' and braces. A bare value may contain '=' after its first character, as base64
// does at its end.
func jaasTokens(s string) ([]jaasToken, error) {
	var out []jaasToken
	for {
		s = strings.TrimLeft(s, " \t\r\n\f")
		if s == "" {
			return out, nil
		}
		var t jaasToken
		switch c := s[0]; {
		case c == '"' || c == '\'':
			text, rest, ok := unquoteJAAS(s)
			if !ok {
				return nil, fmt.Errorf("%w: a quote is not closed", errJAASForm)
			}
			t, s = jaasToken{text, true}, rest
		case strings.IndexByte("=;{}", c) >= 0:
			t, s = jaasToken{text: s[:1]}, s[1:]
		default:
			end := bareEnd(s, len(out) > 0 && out[len(out)-1].is("="))
			t, s = jaasToken{text: s[:end]}, s[end:]
		}
		out = append(out, t)
	}
}

func bareEnd(s string, value bool) int {
	stop := " \t\r\n\f;{}=\"'"
	if value {
		stop = " \t\r\n\f;"
	}
	if i := strings.IndexAny(s, stop); i >= 0 {
		return i
	}
	return len(s)
}

// unquoteJAAS reads a quoted string with the escapes of Java's StreamTokenizer, which Kafka parses this setting with.
func unquoteJAAS(s string) (text, rest string, ok bool) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String(), s[i+1:], true
		case s[i] == '\n':
			return "", "", false
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case s[i+1] >= '0' && s[i+1] <= '7':
			n, code := octal(s[i+1:])
			b.WriteRune(code)
			i += n
		default:
			i++
			b.WriteByte(unescape(s[i]))
		}
	}
	return "", "", false
}

func unescape(c byte) byte {
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		return "\a\b\f\n\r\t\v"[i]
	}
	return c
}

// octal reads up to three octal digits, at most 377.
func octal(s string) (n int, code rune) {
	limit := 3
	if s[0] > '3' {
		limit = 2
	}
	for n < limit && n < len(s) && s[n] >= '0' && s[n] <= '7' {
		code = code*8 + rune(s[n]-'0')
		n++
	}
	return n, code
}
