package reshape

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"
)

// endpointChange rewrites the host names in a text, also in what is JSON there: names of members, and strings however they are escaped.
type endpointChange struct {
	from *regexp.Regexp // of a host in its canonical form; nil: an IPv6 address
	ip   netip.Addr
	ends string   // the port of an IPv6 address, with its colon
	to   []string // what stands between the stars
	port bool     // the pattern is about the port too
}

func newEndpointChange(e Endpoint) (*endpointChange, error) {
	c := &endpointChange{to: strings.Split(e.To, "*")}
	if ip, port, ok := parseIPv6(e.From); ok {
		c.ip, c.ends, c.port = ip, port, port != ""
	} else if err := checkHost(e.From); err != nil {
		return nil, err
	}
	if _, _, ok := parseIPv6(e.To); !ok {
		if err := checkHost(e.To); err != nil {
			return nil, err
		}
	}
	if strings.Count(e.To, "*") > strings.Count(e.From, "*") {
		return nil, fmt.Errorf("%w: %q has more * than %q", ErrRule, e.To, e.From)
	}
	if c.ip.IsValid() {
		return c, nil
	}
	quoted := strings.ReplaceAll(regexp.QuoteMeta(canonicalHost(e.From)), `\*`, "("+hostClass+"*)")
	c.from, c.port = regexp.MustCompile("^(?:"+quoted+")$"), strings.Contains(e.From, ":")
	return c, nil
}

// checkHost takes host names with stars, and a port.
func checkHost(s string) error {
	wrong := s == "" || strings.Count(s, ":") > 1 || strings.HasSuffix(s, ".")
	for _, r := range s {
		wrong = wrong || !isHostRune(r) && r != '*' && r != ':'
	}
	if wrong {
		return fmt.Errorf("%w: %q is no host name, with * and a port where you like, and no IPv6 address in brackets", ErrRule, s)
	}
	return nil
}

// inJSON rewrites a JSON value. Names of members may come out equal, which the last look at a document finds.
func (c *endpointChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	from := len(dst)
	copied := 0
	for i := 0; i < len(raw); i++ {
		if raw[i] != '"' {
			continue
		}
		end, _, err := scanString(raw, i)
		if err != nil {
			return dst, err
		}
		dst = append(dst, raw[copied:i]...)
		dst = c.rewrite(dst, raw[i:end], true)
		copied, i = end, end-1
	}
	dst = append(dst, raw[copied:]...)
	if raw[0] == '"' || bytes.Equal(dst[from:], raw) {
		return dst, nil
	}
	return dst, w.strings.walk(dst[from:])
}

func (c *endpointChange) inPayload(w *Worker, dst, b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return dst, errUTF8
	}
	return c.rewrite(dst, b, false), nil
}

// rewrite goes from host to host. What stands between stays byte for byte.
func (c *endpointChange) rewrite(dst, b []byte, json bool) []byte {
	if c.ip.IsValid() {
		return c.rewriteIPv6(dst, b)
	}
	var s hostScanner
	from := 0
	for i := 0; i < len(b); {
		if !startsHost[b[i]] {
			i++
			continue
		}
		h := s.next(b, i, json)
		if h.to == h.from {
			i = max(h.next, i+1)
			continue
		}
		if to, ok := c.host(b, &h); ok {
			dst = append(append(dst, b[from:h.from]...), to...)
			from = h.to
		} else if h.doubtful > 0 { // the first letter may be that of an escape, such as \n
			i = h.from + h.doubtful
			continue
		}
		i = max(h.next, i+1)
	}
	return append(dst, b[from:]...)
}

// host is what stands in the place of a host; not ok: it is another one. It takes over the end of h that goes with it.
func (c *endpointChange) host(b []byte, h *foundHost) (to []byte, ok bool) {
	subject := h.name
	if c.port {
		subject = append(subject[:len(subject):len(subject)], h.port...)
	}
	found := c.from.FindSubmatchIndex(subject)
	if found == nil {
		return nil, false
	}
	for i, between := range c.to {
		if i > 0 {
			to = append(to, h.text(b, subject, found[2*i], found[2*i+1])...)
		}
		to = append(to, between...)
	}
	if c.port {
		h.to = h.portTo
	}
	return to, true
}

// parseIPv6 reads [2001:db8::1], with a port or not, and the bare address.
func parseIPv6(s string) (ip netip.Addr, port string, ok bool) {
	if bare, isBracket := strings.CutPrefix(s, "["); isBracket {
		bare, port, ok = strings.Cut(bare, "]")
		if !ok || port != "" && (port[0] != ':' || strings.Trim(port[1:], "0123456789") != "" || len(port) < 2) {
			return ip, "", false
		}
		s = bare
	}
	ip, err := netip.ParseAddr(s)
	return ip, port, err == nil && ip.Is6() && ip.Zone() == ""
}

// rewriteIPv6 goes from address to address, however they are abbreviated.
func (c *endpointChange) rewriteIPv6(dst, b []byte) []byte {
	from := 0
	for i := 0; i < len(b); {
		end := i
		for end < len(b) && (isHex(b[end]) || b[end] == ':' || b[end] == '.') {
			end++
		}
		if end == i {
			i++
			continue
		}
		if left, right, ok := c.addressAt(b, i, end); ok && left >= from {
			dst = append(append(dst, b[from:left]...), c.to[0]...)
			from, end = right, right
		}
		i = end
	}
	return append(dst, b[from:]...)
}

// addressAt says from where to where the address stands in b, of which a run of its characters is from i to end.
func (c *endpointChange) addressAt(b []byte, i, end int) (left, right int, ok bool) {
	text := strings.TrimRight(string(b[i:end]), ".")
	ip, err := netip.ParseAddr(text)
	if err != nil || ip != c.ip || i > 0 && isWord(b[i-1]) && b[i-1] != 'F' {
		return 0, 0, false
	}
	left, right = i, i+len(text)
	if left > 0 && b[left-1] == '[' && right < len(b) && b[right] == ']' {
		left, right = left-1, right+1
	}
	if c.port {
		rest := string(b[right:])
		if !strings.HasPrefix(rest, c.ends) || len(rest) > len(c.ends) && isDigit(rest[len(c.ends)]) {
			return 0, 0, false
		}
		right += len(c.ends)
	}
	return left, right, true
}
