package reshape

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/karchive/karchive/format"
)

func TestTextsThatLookPersonal(t *testing.T) {
	for text, want := range map[string]string{
		"jane.miller@example.com":             looksEmail,
		"Mail Jane <jane+x@mail.example.org>": looksEmail,
		"müller@exämple.de":                   looksEmail,
		"@example.com":                        "",
		"a@b":                                 "",
		"user@host.1":                         "",
		"4111111111111111":                    looksCard,
		"4111 1111 1111 1111":                 looksCard,
		"card 5500-0000-0000-0004, thanks":    looksCard,
		"340000000000009":                     looksCard,
		"4111111111111112":                    "", // fails Luhn
		"1772366400123":                       "", // a time in ms
		"1772366400123456":                    "", // in µs
		"x4111111111111111":                   looksCard,
		"cust_4111111111111111":               looksCard,
		"卡号4111111111111111元":                 looksCard,
		"4111_1111_1111_1111":                 looksCard,
		"4111|1111|1111|1111":                 looksCard,
		"4111\t1111\t1111\t1111":              looksCard,
		"(4111)(1111)(1111)(1111)":            looksCard,
		"3782,822463,10005":                   looksCard,
		"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1":     looksCard,
		"41-11-11-11-11-11-11-11":             looksCard,
		"%B4111111111111111^DOE/JOHN^2512":    looksCard,
		"ab4111111111111111":                  "", // of a hexadecimal number
		"4111111111111111b7":                  "",
		"30.11.2026 12.34.58":                 "", // times pass Luhn's check as often as others
		"411,111,111,111,111,1":               "",
		"9999999999999999":                    "",
		"DE89370400440532013000":              looksIBAN,
		"pay to GB82 WEST 1234 5698 7654 32.": looksIBAN,
		"DE89370400440532013001":              "",
		"iban_DE89370400440532013000_x":       looksIBAN,
		"IBANDE89370400440532013000":          looksIBAN,
		"DE89\t3704\t0044\t0532\t0130\t00":    looksIBAN,
		"DE89_3704_0044_0532_0130_00":         looksIBAN,
		"xDE89370400440532013000":             "",
		"192.168.0.17":                        looksIP,
		"10.0.0.1:8080":                       looksIP,
		"10.0.0.0/8":                          looksIP,
		"2001:db8::17":                        looksIP,
		"fe80:1::17%eth0":                     looksIP,
		"fe80:abcd::1":                        looksIP,
		"ip_10.0.0.1":                         looksIP,
		"010.001.002.003":                     looksIP,
		"300.001.002.003":                     "",
		"2001:db8::17:":                       looksIP,
		"v10.0.0.1":                           "", // a version
		"::1":                                 "", // too short to tell anything
		"12:34:56":                            "",
		"1.2.3":                               "",
		"+49 151 23456789":                    looksPhone,
		"+4915123456789":                      looksPhone,
		"(555) 123-4567":                      looksPhone,
		"555-123-4567":                        looksPhone,
		"0049 151 23456789":                   looksPhone,
		"1-555-123-4567":                      looksPhone,
		"1.555.123.4567":                      looksPhone,
		"1(555)123-4567":                      looksPhone,
		"tel(555) 123-4567":                   looksPhone,
		"( 555 ) 123-4567":                    looksPhone,
		"555 - 123 - 4567":                    looksPhone,
		"555-123-4567x12":                     looksPhone,
		"phone_+4915123456789":                looksPhone,
		"电话555-123-4567":                      looksPhone,
		"21-555-123-4567":                     "", // part of a longer number
		"555-123-4567-89":                     "",
		"2026-11-28 00:12:34.567890":          "",
		"2026-03-01":                          "",
		"20260301120000":                      "",
		"2026-03-01T12:00:00.000Z":            "",
		"129.95":                              "",
		"ord-0000017":                         "",
		"JJD000390007883412345":               "",
		"":                                    "",
	} {
		if got := looksLike([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestNamesThatLookPersonal(t *testing.T) {
	for name, want := range map[string]bool{
		"email": true, "userEmail": true, "e_mail": true, "EMAIL": true, "customer-phone": true, "firstName": true, "first_name": true,
		"lastname": true, "dateOfBirth": true, "birth_date": true, "ssn": true, "cardNumber": true, "card_number": true, "zip": true,
		"street": true, "clientIp": true, "username": true, "holderName": true, "IBAN": true, "postalCode": true, "taxId": true,
		"name": false, "productName": false, "number": false, "orderNumber": false, "shipTo": false, "date": false, "id": false,
		"amount": false, "description": false, "ship": false, "panel": false, "code": false, "": false,
		"telNr": true, "cellNo": true, "Addr1": true, "BirthDay": true, "licensePlate": true, "postal_code": true, "workmail": true,
		"telefonnummer": true, "sozialversicherungsnummer": true, "prénom": true, "émail": true, "dirección": true, "imię": true,
		"еmail": true, "phоne": true, "ｅｍａｉｌ": true, "e\u0301mail": true, "ema\u0131l": true, // letters that only look like those of ASCII
		"телефон": true, "электронная_почта": true, "メールアドレス": true, "電話番号": true, "手机号": true, "이메일": true, "fødselsnummer": true,
		"pass_phrase": true, "accessToken": true, "apiKey": true, "account_no": true, "ipv6": true, "nationalIdentity": true,
		"token": false, "key": false, "first": false, "latency": false, "mailing": false, "telemetry": false, "notes": false, "accountType": false,
		"s_sn": false, "platform": false, "cellar": false, "заметка": false, "状態": false,
	} {
		if got := (&detector{}).tells("", []byte(name)).looks != ""; got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestEncodingsAreTakenOff(t *testing.T) {
	const email = "john.doe@example.com"
	b64 := base64.StdEncoding.EncodeToString
	wire := append([]byte("\n\x04abcd\x12\x14"), email+"\x18\x01"...) // as Protobuf has it
	nested := func(n int) string {
		text := email
		for range n {
			text = b64([]byte(text))
		}
		return text
	}
	wide := utf16.Encode([]rune(email))
	var little []byte
	for _, u := range wide {
		little = append(little, byte(u), byte(u>>8))
	}
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, 3)
	z.Write([]byte(email))
	z.Close()
	long := b64([]byte(strings.Repeat("x", 50) + email + strings.Repeat("y", 30)))
	for text, want := range map[string]string{
		"john&#64;example.com":                          looksEmail,
		"john&#x40;example.com":                         looksEmail,
		"john&commat;example.com":                       looksEmail,
		`john\u0040example.com`:                         looksEmail,
		`john\x40example.com`:                           looksEmail,
		"john=40example.com":                            looksEmail,
		"john%2540example.com":                          looksEmail,
		"100% of %40, and john%40example.com":           looksEmail,
		"5% more: %2B4915123456789":                     looksPhone,
		`{x:'4111 1111 1111 \u0031111'}`:                looksCard,
		b64([]byte("john@x.co")):                        looksEmail,
		"user_" + b64([]byte(email)):                    looksEmail,
		"u" + b64([]byte(email)):                        looksEmail,
		"uid" + b64([]byte(email)):                      looksEmail,
		long[:76] + "\r\n" + long[76:]:                  looksEmail,
		"0x" + hex.EncodeToString([]byte(email)):        looksEmail,
		`\x` + hex.EncodeToString([]byte(email)):        looksEmail,
		b64(wire):                                       looksEmail,
		hex.EncodeToString(wire):                        looksEmail,
		b64(little):                                     looksEmail,
		b64(append([]byte{0xff, 0xfe}, little...)):      looksEmail,
		b64(packed.Bytes()):                             looksCompressed,
		nested(2):                                       looksEmail,
		nested(maxScans + 4):                            looksNested,
		"sha1 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12": "",
		"3f2b1c9e-4111-4111-8111-111111111111":          "",
		"100% done & a=b \\x \\u12 &nosuch;":            "",
	} {
		d := &detector{}
		if got, _ := d.text([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestRandomBytesLookLikeNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 20_000 {
		b := make([]byte, 16+random.IntN(48))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		for _, text := range []string{hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b)} {
			d := &detector{}
			if looks, _ := d.text([]byte(text)); looks != "" {
				found++
			}
		}
	}
	if found > 60 {
		t.Errorf("got %d of 60,000 tokens, want at most one of a thousand", found)
	}
}

// uncovered runs rules over records and returns what the report says about fields without a rule, on a line each.
func uncovered(t *testing.T, rules Rules, records ...*Record) (string, Report) {
	t.Helper()
	p := pipelineOf(t, rules)
	w := p.Worker()
	for _, r := range records {
		if _, err := w.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	report := p.Report()
	var lines []string
	for _, s := range report.Uncovered {
		lines = append(lines, fmt.Sprintf("%s %s %s %d", s.Topic, s.Path, s.Looks, s.Records))
	}
	return strings.Join(lines, "\n"), report
}

func TestAPayloadThatIsAJSONStringIsLookedInto(t *testing.T) {
	m, err := ParseMask("value.x=keep")
	if err != nil {
		t.Fatal(err)
	}
	rules := Rules{Mask: []Mask{m}}
	for key, want := range map[string]string{`"10.1.2.3"`: "t key IP address 1", `"\u0061@example.com"`: "t key e-mail 1", ` 10.1.2.3`: "t key IP address 1", `10.1.2.3`: "t key IP address 1"} {
		got, _ := uncovered(t, rules, &Record{Topic: "t", Record: format.Record{Key: []byte(key), Value: []byte("{}")}})
		if got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

func TestCoverageNamesFieldsWithoutARule(t *testing.T) {
	got, report := uncovered(t, maskRules(t, "value.user.email=hash", "value.none=redact"), anOrder(), anOrder())
	want := `orders value.payment.card card 2
orders value.user.address.city a name: address 2
orders value.user.address.country a name: address 2
orders value.user.address.street postal address 2
orders value.user.address.zip a name: zip 2
orders value.user.name a name: user name 2
orders value.user.phone phone 2`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if names := report.NeverMatched(); len(names) != 1 || names[0] != "value.none=redact" {
		t.Errorf("never matched: got %q", names)
	}
	if report.Masks[0].Records != 2 || report.Masks[0].Fields != 2 {
		t.Errorf("the mask that matched: got %+v", report.Masks[0])
	}
	if !report.Incomplete() {
		t.Error("complete, though a mask never matched")
	}
}

func TestRulesOfAnyKindCover(t *testing.T) {
	const value = `{"email":"jane@example.com","list":[{"phone":"+49 151 23456789","x":1}]}`
	for rules, want := range map[string]string{
		"mask: value.email=hash":                                    "t value.list.#.phone phone 1",
		"mask: [value.email=keep, value.list=keep]":                 "",
		"mask: [value.*=redact]":                                    "",
		"mask: value=redact":                                        "",
		"mask: value=keep":                                          "",
		"{mask: value.list=drop, remove: value.email}":              "",
		"{mask: value.list=drop, set: value.email=x}":               "",
		"{mask: value.email=hash, endpoints: {from: a.b, to: c.d}}": "t value.list.#.phone phone 1",
		"{mask: value.email=hash, rename: value.list=more}":         "t value.list.#.phone phone 1",
		"{mask: {path: value.email, action: redact, topics: [x]}}":  "t value.email e-mail 1\nt value.list.#.phone phone 1",
		"remove: value.email":                                       "", // nothing is masked, so nobody asks
	} {
		r, err := ParseRules("r.yaml", []byte(rules))
		if err != nil {
			t.Fatal(err)
		}
		r.secret = testSecret
		if got, _ := uncovered(t, r, valueRecord(value)); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", rules, got, want)
		}
	}
}

func TestKeysHeadersAndPlainTextAreLookedAtToo(t *testing.T) {
	r := valueRecord("2026-03-01 login of jane@example.com")
	r.Key = []byte("+49 151 23456789")
	r.Headers = []format.Header{{Key: "client.ip", Value: []byte("x")}, {Key: "trace", Value: []byte("10.0.0.1")}, {Key: "*", Value: []byte("a@b.example")}, {Key: "n"}}
	got, _ := uncovered(t, maskRules(t, "headers.none=redact"), r)
	want := `t headers.\* e-mail 1
t headers.client.ip a name: ip 1
t headers.trace IP address 1
t key phone 1
t value e-mail 1`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPersonalTextInEscapesIsSeen(t *testing.T) {
	got, _ := uncovered(t, maskRules(t, "headers.none=redact"), valueRecord(`{"x":"jane\u0040example.com"}`))
	if got != "t value.x e-mail 1" {
		t.Errorf("got %q", got)
	}
}

func TestPathsOfSuspectsAreOnesThatAMaskTakes(t *testing.T) {
	for _, name := range []string{"a.b", "a*b", "a?b", "@a", "#", "a|b", `a\b`, "{a", "[a", "!a", "a=b", "é", "7"} {
		value := `{` + string(appendQuoted(nil, name)) + `:{"x":["jane@example.com"]}}`
		_, report := uncovered(t, maskRules(t, "headers.none=redact"), valueRecord(value))
		if len(report.Uncovered) != 1 {
			t.Fatalf("%s: got %+v", name, report.Uncovered)
		}
		r := valueRecord(value)
		applyTo(t, maskRules(t, report.Uncovered[0].Path+"=redact"), r)
		if strings.Contains(string(r.Value), "jane") {
			t.Errorf("%s: a mask of %s leaves %s", name, report.Uncovered[0].Path, r.Value)
		}
	}
}

func TestRequiredCoverageWithholdsRecords(t *testing.T) {
	rules := maskRules(t, "value.email=hash")
	rules.RequireCoverage = true
	p := pipelineOf(t, rules)
	w := p.Worker()
	for value, want := range map[string]Verdict{`{"email":"jane@example.com"}`: Pass, `{"email":"x","mail":"jane@example.com"}`: Withheld} {
		if got, err := w.Apply(valueRecord(value)); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", value, got, err, want)
		}
	}
	w.Close()
	if r := p.Report(); !r.Incomplete() || r.Withheld != 1 {
		t.Errorf("got %+v", r)
	}
	rules.Mask = append(rules.Mask, Mask{Selector: Selector{Path: "value.never"}, Action: Drop})
	p = pipelineOf(t, rules)
	w = p.Worker()
	if got, _ := w.Apply(valueRecord(`{"email":"x"}`)); got != Pass {
		t.Errorf("got %v", got)
	}
	w.Close()
	if r := p.Report(); !r.Incomplete() {
		t.Error("a mask never matched, and the report is complete")
	}
}

func TestManyNamesAreReportedTogether(t *testing.T) {
	var b strings.Builder
	for i := range 5 * maxNames {
		fmt.Fprintf(&b, `,"k%d":{"contact":"user%d@example.com"}`, i, i)
	}
	got, _ := uncovered(t, maskRules(t, "headers.none=redact"), valueRecord("{"+b.String()[1:]+"}"))
	lines := strings.Split(got, "\n")
	if len(lines) > maxNames+1 || !strings.Contains(got, "t value.*.contact e-mail 1") {
		t.Errorf("got %d lines, the last %s", len(lines), lines[len(lines)-1])
	}
	r := valueRecord("{" + b.String()[1:] + "}")
	if applyTo(t, maskRules(t, "value.*.contact=redact"), r); strings.Contains(string(r.Value), "example") {
		t.Error("a mask by * leaves some of many members as they are")
	}
}
