package imports

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/foreign"
)

// Kind is a kind of file.
type Kind string

// The kinds of files.
const (
	CSV        Kind = "csv"
	JSONL      Kind = "jsonl"
	Lines      Kind = "lines"
	Speedscale Kind = "speedscale"
	Kcat       Kind = "kcat"
	RPK        Kind = "rpk"
	Kaf        Kind = "kaf"
	AKHQ       Kind = "akhq"
	Aiven      Kind = "aiven"
	Parquet    Kind = "parquet"
)

// KindInfo is what there is to know of a kind.
type KindInfo struct {
	Kind     Kind
	Help     string   // what it is, in a few words
	Endings  []string // of the names of such files, those that are not taken for another kind
	Columns  bool     // columns can be named
	Spelling bool     // a delimiter and a null can be told
	Named    bool     // the records name their topic, partition and offset
	preset   Mapping  // what the columns are called, where none is named

	open func(f *openFile, o OpenOptions) (Source, error)
}

// infos is the table of kinds. Everything that asks for kinds goes by it.
var infos []KindInfo

func init() { // the readers go back to the table
	infos = []KindInfo{
		{Kind: CSV, Help: "CSV, a row a record", Endings: []string{".csv", ".tsv", ".tab"}, Columns: true, Spelling: true, open: openCSV},
		{Kind: JSONL, Help: "lines of karchive cat, or JSON of any shape", Endings: []string{".jsonl", ".ndjson", ".json"}, Columns: true, open: openJSON},
		{Kind: Lines, Help: "lines of text, or what Kafka's console consumer prints", Endings: []string{".txt", ".log"}, Spelling: true, open: openLines},
		{Kind: Speedscale, Help: "the Kafka calls of a snapshot", Named: true, open: openSnapshot},
		{Kind: Kcat, Help: "lines of kcat -J", Named: true, open: openKcat},
		{Kind: RPK, Help: "what rpk topic consume prints", Columns: true, open: openMapped,
			preset: Mapping{Topic: "topic", Partition: "partition", Offset: "offset", Timestamp: "timestamp",
				Key: Column{Name: "key"}, Value: Column{Name: "value"}, HeaderList: Column{Name: "headers"}, AbsentIsNull: true}},
		{Kind: Kaf, Help: "what kaf consume --output json prints", Columns: true, open: openMapped,
			preset: Mapping{Topic: "topic", Partition: "partition", Offset: "offset", Timestamp: "timestamp",
				Key: Column{Name: "key"}, Value: Column{Name: "payload"}, HeaderList: Column{Name: "headers"}}},
		{Kind: AKHQ, Help: "what AKHQ downloads", Columns: true, open: openMapped,
			preset: Mapping{Partition: "partition", Offset: "offset", Timestamp: "timestamp",
				Key: Column{Name: "key"}, Value: Column{Name: "value"}, HeaderList: Column{Name: "headers"}}},
		{Kind: Aiven, Help: "JSON of Aiven's sink connectors", Columns: true, open: openMapped,
			preset: Mapping{Offset: "offset", Timestamp: "timestamp", Key: Column{"key", Base64}, Value: Column{"value", Base64},
				HeaderList: Column{"headers", Base64}, AbsentIsNull: true}},
		{Kind: Parquet, Help: "a Parquet file, a row a record", Endings: []string{".parquet"}, Columns: true, open: openParquet},
	}
}

// Kinds lists the kinds.
func Kinds() []KindInfo { return slices.Clone(infos) }

// Info returns what there is to know of a kind; ok is false when there is none of the name.
func Info(kind Kind) (info KindInfo, ok bool) {
	i := slices.IndexFunc(infos, func(k KindInfo) bool { return k.Kind == kind })
	if i < 0 {
		return KindInfo{}, false
	}
	return infos[i], true
}

// KindOfName guesses the kind of a file by how its name ends, behind which the ending of a compression may stand.
func KindOfName(name string) (info KindInfo, ending string, ok bool) {
	name = strings.ToLower(filepath.Base(name))
	for _, packed := range foreign.Endings() {
		name = strings.TrimSuffix(name, packed)
	}
	ending = filepath.Ext(name)
	for _, k := range infos {
		if slices.Contains(k.Endings, ending) {
			return k, ending, true
		}
	}
	return KindInfo{}, ending, false
}
