package speedscale

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/reshape"
)

// UUIDColumn is the name of the column that speedctl puts behind those that were asked for.
const UUIDColumn = "RRPair UUID"

// envelope are the fields that every RRPair has, whatever was called. Columns of them are aside.
var envelope = []string{"msgType", "resource", "ts", "l7protocol", "duration", "tags", "uuid", "direction", "cluster", "namespace", "service", "tech",
	"network_address", "command", "location", "status", "netinfo", "signature"}

// Columns returns a column for each path into RRPairs, named as the path is written, and UUIDColumn behind them. A path may begin with
// a dot or with $. as speedctl takes it; what is base64 on its way (http.req.bodyBase64.user) is decoded. They work on the records that
// AsRecord gives.
func Columns(paths []string) ([]extract.Column, error) {
	var out []extract.Column
	for _, path := range paths {
		c, err := column(path)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return append(out, extract.Computed(UUIDColumn, func(r *reshape.Record) reshape.Field {
		return reshape.Field{Kind: reshape.Bytes, Raw: []byte(RRPair{JSON: r.Value}.UUID())}
	})), nil
}

// AsRecord is an RRPair as a record whose value it is.
func AsRecord(p RRPair) *reshape.Record {
	return &reshape.Record{Record: format.Record{Value: p.JSON}}
}

func column(name string) (extract.Column, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(name, "$"), ".")
	c, err := extract.NewColumn(name, "value."+path)
	if first, _, _ := strings.Cut(path, "."); slices.Contains(envelope, first) {
		c = c.Aside()
	}
	encoded, rest, ok := cutBase64(path)
	if err != nil || !ok {
		return c, err
	}
	inside, err := reshape.ParsePath("value." + rest)
	if err != nil {
		return c, err
	}
	return c.WithFallback(func(r *reshape.Record) reshape.Field {
		raw, err := base64.StdEncoding.DecodeString(gjson.Get(asString(r.Value), encoded).String())
		if err != nil {
			return reshape.Field{}
		}
		return inside.Get(&reshape.Record{Record: format.Record{Value: raw}})
	}), nil
}

// cutBase64 cuts a path behind the first component whose value is base64.
func cutBase64(path string) (encoded, rest string, ok bool) {
	i := strings.Index(path, "Base64.")
	if i < 0 {
		return "", "", false
	}
	end := i + len("Base64")
	return path[:end], path[end+1:], true
}
