package speedscale

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// fields say where the values of keywords stand that are one place in an RRPair.
var fields = map[string]string{
	"cluster": "cluster", "command": "command", "direction": "direction", "l7protocol": "l7protocol", "location": "location",
	"namespace": "namespace", "networkaddr": "network_address", "service": "service", "session": "session", "snapshot": "snapshot",
	"status": "status", "tech": "tech", "timerange": "ts", "url": "http.req.url", "host": "http.req.host", "method": "http.req.method",
}

// order is that of Keywords.
var order = []string{"cluster", "command", "direction", "header[NAME]", "host", "l7protocol", "location", "method", "namespace", "networkaddr",
	"req_json[PATH]", "resp_json[PATH]", "service", "session", "snapshot", "source", "status", "tag[NAME]", "tech", "text", "timerange", "url", "uuid"}

// Keywords are what conditions can be about. What speedctl knows beyond these cannot be told from its documentation.
func Keywords() []string { return order }

// lookUp is how to find the values of a keyword.
func lookUp(t token) (func(RRPair) []string, error) {
	keyed := map[string]func(RRPair) []string{
		"header":    func(p RRPair) []string { return header(p, t.key) },
		"tag":       func(p RRPair) []string { return member(p.Get("tags"), t.key) },
		"req_json":  func(p RRPair) []string { return body(p, t.key, "http.req.bodyBase64", "request") },
		"resp_json": func(p RRPair) []string { return body(p, t.key, "http.res.bodyBase64", "response") },
	}
	plain := map[string]func(RRPair) []string{
		"source": func(p RRPair) []string { return first(p.Get("tags.source"), p.Get("resource")) },
		"uuid":   func(p RRPair) []string { return append(texts(p.Get("uuid")), p.UUID()) },
		"text":   text,
	}
	if path, ok := fields[t.text]; ok {
		plain[t.text] = func(p RRPair) []string { return texts(p.Get(path)) }
	}
	if find, ok := keyed[t.text]; ok {
		if t.key == "" {
			return nil, fmt.Errorf("%w: column %d: write %s[...] with what it is about", ErrFilter, t.column, t.text)
		}
		return find, nil
	}
	if find, ok := plain[t.text]; ok && !t.keyed {
		return find, nil
	}
	return nil, unknownKeyword(t)
}

// texts are a value, or the elements of an array, as text.
func texts(f gjson.Result) (out []string) {
	if !f.Exists() || f.Type == gjson.Null {
		return nil
	}
	for _, v := range f.Array() {
		out = append(out, v.String())
	}
	return out
}

func first(fs ...gjson.Result) []string {
	for _, f := range fs {
		if f.Exists() {
			return texts(f)
		}
	}
	return nil
}

// member is the value of a member by its exact name, dots and all.
func member(object gjson.Result, name string) (out []string) {
	object.ForEach(func(k, v gjson.Result) bool {
		if k.String() != name {
			return true
		}
		out = texts(v)
		return false
	})
	return out
}

// header are the values of a request header, whose names have no case.
func header(p RRPair, name string) (out []string) {
	p.Get("http.req.headers").ForEach(func(k, v gjson.Result) bool {
		if strings.EqualFold(k.String(), name) {
			out = append(out, texts(v)...)
		}
		return true
	})
	return out
}

// body is what a path finds in the JSON of a request or response: the body of HTTP, or the payload under the name of another protocol.
func body(p RRPair, path, http, side string) []string {
	if f := p.Get(http); f.Exists() {
		raw, err := base64.StdEncoding.DecodeString(f.String())
		if err != nil {
			return nil
		}
		return texts(gjson.GetBytes(raw, path))
	}
	return texts(p.Get(strings.ToLower(p.Get("l7protocol").String()) + "." + side + "." + path))
}

// text is where free text is looked for: the RRPair as it is recorded, and the bodies that are base64 in it.
func text(p RRPair) []string {
	out := []string{string(p.JSON)}
	for _, path := range []string{"http.req.bodyBase64", "http.res.bodyBase64"} {
		if raw, err := base64.StdEncoding.DecodeString(p.Get(path).String()); err == nil {
			out = append(out, string(raw))
		}
	}
	return out
}
