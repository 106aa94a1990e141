package reshape

import (
	"testing"

	"github.com/karchive/karchive/format"
)

func TestEndpointsAreFoundHoweverTheyAreSpelled(t *testing.T) {
	const from, to = "api.prod.example.com", "api.test.example.com"
	for _, c := range []struct{ name, from, to, value, want string }{
		{"upper case", from, to, `{"u":"https://API.PROD.example.com/A"}`, `{"u":"https://api.test.example.com/A"}`},
		{"an escaped letter", from, to, `{"u":"https://\u0061pi.prod.example.com"}`, `{"u":"https://api.test.example.com"}`},
		{"an escaped dot", from, to, `{"u":"api\u002eprod.example\u002Ecom:80"}`, `{"u":"api.test.example.com:80"}`},
		{"escaped slashes", from, to, `{"u":"https:\/\/api.prod.example.com\/x"}`, `{"u":"https:\/\/api.test.example.com\/x"}`},
		{"the name of a member", from, to, `{"https://api.prod.example.com":1}`, `{"https://api.test.example.com":1}`},
		{"the escaped name of a member", from, to, `{"a":{"\u0061pi.prod.example.com":[1]}}`, `{"a":{"api.test.example.com":[1]}}`},
		{"a port that stays", from, to, `{"u":"api.prod.example.com:8443/x"}`, `{"u":"api.test.example.com:8443/x"}`},
		{"a port that changes", from + ":80", to + ":81", `{"u":"API.prod.example.com:80/x","v":"api.prod.example.com:8080"}`, `{"u":"api.test.example.com:81/x","v":"api.prod.example.com:8080"}`},
		{"a dot at the end", from, to, `{"u":"https://api.prod.example.com./x"}`, `{"u":"https://api.test.example.com./x"}`},
		{"a dot and a port", from, to, `{"u":"https://api.prod.example.com.:443/x"}`, `{"u":"https://api.test.example.com.:443/x"}`},
		{"the end of a sentence", from, to, `{"u":"Ask api.prod.example.com."}`, `{"u":"Ask api.test.example.com."}`},
		{"user and password", from, to, `{"u":"https://me:pw@api.prod.example.com"}`, `{"u":"https://me:pw@api.test.example.com"}`},
		{"percent", from, to, `{"u":"?to=https%3A%2F%2Fapi.prod.example.com%2Fx"}`, `{"u":"?to=https%3A%2F%2Fapi.test.example.com%2Fx"}`},
		{"percent twice", from, to, `{"u":"?to=%252F%2561pi%252eprod.example.com%252F"}`, `{"u":"?to=%252Fapi.test.example.com%252F"}`},
		{"JSON in a string", from, to, `{"u":"{\"v\":\"https:\\\/\\\/api.prod.example.com\\n\"}"}`, `{"u":"{\"v\":\"https:\\\/\\\/api.test.example.com\\n\"}"}`},
		{"an escape in JSON in a string", from, to, `{"u":"{\"v\":\"\\u0061pi.prod.example.com\"}"}`, `{"u":"{\"v\":\"api.test.example.com\"}"}`},
		{"behind a line break", from, to, `{"u":"a\napi.prod.example.com\tb"}`, `{"u":"a\napi.test.example.com\tb"}`},
		{"behind a line break of JSON in a string", from, to, `{"u":"\"a\\napi.prod.example.com\""}`, `{"u":"\"a\\napi.test.example.com\""}`},
		{"in a header-like list", from, to, `{"u":"x=1,api.prod.example.com;api.prod.example.com"}`, `{"u":"x=1,api.test.example.com;api.test.example.com"}`},
		{"letters of IDN", "münchen.example", "b.example", `{"u":"https://MÜNCHEN.example/","v":"m\u00fcnchen.example"}`, `{"u":"https://b.example/","v":"b.example"}`},
		{"punycode of IDN", "münchen.example", "b.example", `{"u":"https://xn--mnchen-3ya.example/"}`, `{"u":"https://b.example/"}`},
		{"IDN of punycode", "xn--mnchen-3ya.example", "b.example", `{"u":"https://münchen.example/","v":"m%C3%BCnchen.example"}`, `{"u":"https://b.example/","v":"b.example"}`},
		{"full width", from, to, `{"u":"https://ａｐｉ．prod。example.com/"}`, `{"u":"https://api.test.example.com/"}`},
		{"a star keeps what was written", "*.prod.example.com", "*.test.example.com", `{"u":"API.prod.Example.com","v":"\u0061b.PROD.example.com"}`, `{"u":"API.test.example.com","v":"ab.test.example.com"}`},
		{"another host", from, to, `{"u":"xapi.prod.example.com api.prod.example.com.au aapi.prod.example"}`, `{"u":"xapi.prod.example.com api.prod.example.com.au aapi.prod.example"}`},
		{"numbers and words", "*", "x", `{"u":[1,true,null,"a"]}`, `{"x":[1,true,null,"x"]}`},
		{"IPv4", "10.0.0.5", "127.0.0.1", `{"u":"10.0.0.5:80","v":"110.0.0.5"}`, `{"u":"127.0.0.1:80","v":"110.0.0.5"}`},
		{"IPv6", "[2001:db8::1]", "[::1]", `{"u":"https://[2001:DB8:0:0::1]:443/","v":"2001:db8::1","w":"2001:db8::12"}`, `{"u":"https://[::1]:443/","v":"[::1]","w":"2001:db8::12"}`},
		{"IPv6 and port", "[2001:db8::1]:80", "b.example:81", `{"u":"[2001:db8::1]:80","v":"[2001:db8::1]:8080"}`, `{"u":"b.example:81","v":"[2001:db8::1]:8080"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pipelineOf(t, Rules{Endpoints: []Endpoint{{From: c.from, To: c.to, In: []Selector{{Path: "value"}, {Path: "headers.*"}}}}})
			w := p.Worker()
			r := &Record{Topic: "t", Record: format.Record{Value: []byte(c.value), Headers: []format.Header{{Key: "h", Value: []byte(c.value)}}}}
			if v, err := w.Apply(r); v != Pass || err != nil {
				t.Fatalf("got %v, %v", v, err)
			}
			if string(r.Value) != c.want {
				t.Errorf("value:\ngot  %s\nwant %s", r.Value, c.want)
			}
			if c.name != "numbers and words" && string(r.Headers[0].Value) != c.want {
				t.Errorf("header:\ngot  %s\nwant %s", r.Headers[0].Value, c.want)
			}
			w.Close()
			if got, want := p.Report().Maps[0].Fields > 0, c.value != c.want; got != want || p.Report().Maps[0].Looked != 1 {
				t.Errorf("counted %+v", p.Report().Maps)
			}
		})
	}
}

func TestEndpointsThatMakeTwoNamesEqualWithholdTheRecord(t *testing.T) {
	p := pipelineOf(t, Rules{Endpoints: []Endpoint{{From: "a.example", To: "b.example"}}})
	r := &Record{Topic: "t", Record: format.Record{Value: []byte(`{"a.example":1,"b.example":2}`)}}
	if v, err := p.Worker().Apply(r); v != Withheld || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestEndpointsThatAreNoHostsAreRefused(t *testing.T) {
	for _, e := range []Endpoint{{From: "", To: "a"}, {From: "https://a", To: "b"}, {From: "a/b", To: "c"}, {From: "a:1:2", To: "b"}, {From: "[::g]", To: "b"},
		{From: "a.", To: "b"}, {From: "a", To: "b c"}, {From: "a", To: `b"`}, {From: "[::1]", To: "*"}} {
		if _, err := Compile(Rules{Endpoints: []Endpoint{e}}); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
}
