package reshape

import (
	"testing"

	"github.com/tidwall/gjson"
)

// orderJSON is a value as test environments see it: about 1 KB, nested, with an array, personal fields, and text that needs escapes.
const orderJSON = `{"id":"ord-0000017","created":"2026-03-01T12:00:00.123Z","amount":129.95,"currency":"EUR","status":"created",` +
	`"user":{"id":"usr-000042","name":"Jane Miller","email":"jane.miller@example.com","phone":"+49 151 23456789","address":` +
	`{"street":"Main Street 5","city":"Berlin","zip":"10115","country":"DE"}},"payment":{"method":"card","card":"4111111111111111",` +
	`"expires":"12/29","holder":"Jane Miller"},"items":[{"sku":"SKU-1001","title":"Trail shoe \"Peak\"","quantity":1,"price":89.95,` +
	`"attributes":{"color":"blue","size":"42"}},{"sku":"SKU-2002","title":"Socks, 3 pairs","quantity":2,"price":20.0,"attributes":` +
	`{"color":"gray","size":"M"}}],"shipping":{"carrier":"dhl","tracking":"JJD000390007883412345","steps":[{"at":1772366400123,` +
	`"state":"accepted"},{"at":1772370000456,"state":"packed"},{"at":1772373600789,"state":"sent"}]},"notes":"Please ring twice.` +
	`\nThe bell is on the left.","flags":{"gift":false,"express":true,"newCustomer":false},"source":{"app":"ios","version":"7.12.1",` +
	`"campaign":null,"referrer":"https://shop.example.com/sale?ref=mail"},"total":{"net":109.2,"tax":20.75,"gross":129.95}}`

func BenchmarkCheckStrictly(b *testing.B) {
	w := walker{root: newRoot(nil, false)}
	data := []byte(orderJSON)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.walk(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGjsonValid(b *testing.B) {
	data := []byte(orderJSON)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if !gjson.ValidBytes(data) {
			b.Fatal("not valid")
		}
	}
}

// benchmark applies rules to one record again and again; every run gets the same record, as it was.
func benchmark(b *testing.B, r Rules) {
	p, err := Compile(r)
	if err != nil {
		b.Fatal(err)
	}
	w := p.Worker()
	rec, org := anOrder(), anOrder()
	b.SetBytes(int64(len(org.Value) + len(org.Key)))
	b.ReportAllocs()
	for b.Loop() {
		*rec = *org
		if _, err := w.Apply(rec); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	for _, c := range []struct{ name, filter string }{
		{"Topic", `topic == "payments"`},
		{"Header", `headers["type"] == "created"`},
		{"Field", `value.amount > 100`},
		{"Three", `topic == "orders" && value.amount > 100 && headers["type"] == "created"`},
		{"Exists", `value.items.exists(i, i.price > 80)`},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, filterRules(c.filter)) })
	}
}

func BenchmarkSample(b *testing.B) {
	for _, c := range []struct{ name, by string }{{"Key", "key"}, {"Header", "headers.type"}, {"Field", "value.user.id"}, {"Random", "random:1"}} {
		b.Run(c.name, func(b *testing.B) {
			r := Rules{}
			r.Sample.Rate, _ = ParseRate("10%")
			if err := r.Sample.ParseSampleBy(c.by); err != nil {
				b.Fatal(err)
			}
			benchmark(b, r)
		})
	}
}

func BenchmarkMask(b *testing.B) {
	for _, c := range []struct {
		name  string
		masks []string
	}{
		{"Header", []string{"headers.type=redact"}},
		{"Redact", []string{"value.user.email=redact"}},
		{"Hash", []string{"value.user.email=hash"}},
		{"Six", []string{"key=hash", "value.user.id=hash", "value.user.email=hash", "value.user.phone=drop", "value.payment.card=redact", "value.items.#.title=fixed=x"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := Rules{secret: testSecret}
			for _, text := range c.masks {
				m, err := ParseMask(text)
				if err != nil {
					b.Fatal(err)
				}
				r.Mask = append(r.Mask, m)
			}
			benchmark(b, r)
		})
	}
}

func BenchmarkMap(b *testing.B) {
	for _, c := range []struct{ name, rules string }{
		{"Set", "set: value.env=test"},
		{"Rename", "rename: value.user.name=fullName"},
		{"Remove", "remove: [value.notes, value.flags]"},
		{"Key", "key: value.user.id"},
		{"Value", "value: value.user"},
		{"Endpoints", `endpoints: {from: "*.example.com", to: "*.example.net"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := ParseRules("bench.yaml", []byte(c.rules))
			if err != nil {
				b.Fatal(err)
			}
			benchmark(b, r)
		})
	}
}

func BenchmarkPath(b *testing.B) {
	rec := anOrder()
	for _, text := range []string{"value.user.id", "value.items.#.sku", "headers.type", "timestamp"} {
		b.Run(text, func(b *testing.B) {
			path, err := ParsePath(text)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(rec.Value)))
			b.ReportAllocs()
			for b.Loop() {
				path.Get(rec)
			}
		})
	}
}
