package reportpage

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

// Sheet is the transfer sheet of a packed archive: what who releases it has to know of what is in its files, and where they sign.
type Sheet struct {
	Name        string // of the archive, as it was given
	Archive     *format.Archive
	Manifest    *pack.Manifest
	Text        []byte // of the manifest
	Files       []PackedFile
	SignedBy    []string
	EncryptedTo []string
	Verdict     string   // whether the archive is complete
	Missing     []string // what it lacks, in words
	MadeBy      string
	// OnProgress, when it is not nil, is called after every row group with how many records were looked at, of how many.
	OnProgress func(done, total int64)
}

// PackedFile is one file of a packed archive.
type PackedFile struct {
	Name   string
	Size   int64 // bytes
	SHA256 string
	Holds  string
}

// sheets are the forms of the sheet as text.
var sheets = template.Must(template.New("sheet.txt").Funcs(template.FuncMap(spelling)).Parse(mustRead("sheet.txt")))

// WriteHTML writes the sheet as a page that prints on A4. All records that are packed are read, one topic after the other; no more is kept than
// what is known about one topic. Errors are those of reading the archive, that of ctx, and w's.
func (s *Sheet) WriteHTML(ctx context.Context, w io.Writer) error {
	return s.write(ctx, w, func(w io.Writer, v *sheetView) error { return fill(w, "sheet.html", v) })
}

// WriteText writes the same as text, in lines of at most 100 characters but for names.
func (s *Sheet) WriteText(ctx context.Context, w io.Writer) error {
	return s.write(ctx, w, func(w io.Writer, v *sheetView) error { return sheets.Execute(w, v) })
}

func (s *Sheet) write(ctx context.Context, to io.Writer, execute func(io.Writer, *sheetView) error) error {
	v, err := newSheetView(ctx, s)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(to)
	err = execute(w, v)
	if v.err != nil { // why the page ended early
		err = v.err
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("write transfer sheet: %w", err)
	}
	return nil
}

// sheetView is what the sheet shows, spelled. Its topics are looked at while they are written.
type sheetView struct {
	Name     string
	Facts    []sheetFact
	Files    []PackedFile
	Hashes   []sheetFact
	Missing  []string
	Personal int64 // places with something that looks personal, in the topics before
	Unseen   int64 // places that nobody can look at

	ctx    context.Context
	sheet  *Sheet
	packed map[string]bool // segments by path
	topics []*sheetTopic
	total  int64 // records
	done   int64
	err    error // why Topics ended early
}

// sheetFact is a line of a table.
type sheetFact struct{ Name, Value string }

func newSheetView(ctx context.Context, s *Sheet) (*sheetView, error) {
	v := &sheetView{Name: printable.Text(s.Name), ctx: ctx, sheet: s, packed: map[string]bool{}}
	for _, p := range s.Manifest.Parts {
		for _, f := range p.Files {
			v.packed[f.Path] = true
		}
	}
	for _, tp := range s.Archive.Partitions() {
		for _, segment := range s.Archive.Segments(tp) {
			if !v.packed[segment.Path] {
				continue
			}
			d, err := s.Archive.Document(segment)
			if err != nil {
				return nil, err
			}
			v.topic(tp.Topic).add(d, segment.Size)
		}
	}
	v.spell()
	return v, nil
}

func (v *sheetView) topic(name string) *sheetTopic {
	if n := len(v.topics); n > 0 && v.topics[n-1].name == name { // partitions come by topic
		return v.topics[n-1]
	}
	t := newSheetTopic(name)
	v.topics = append(v.topics, t)
	return t
}

func (v *sheetView) spell() {
	s, all := v.sheet, newSheetTopic("")
	for _, t := range v.topics {
		all.merge(t)
	}
	v.total = all.records
	id := s.Archive.Identity()
	v.Facts = append([]sheetFact{{"Archive", id.ArchiveID}, {"From cluster", cmp.Or(id.ClusterID, "unknown")}, {"Created", id.CreatedAt + " by " + id.CreatedBy},
		{"State", s.Verdict}, {"Topics", units.Count(int64(len(v.topics)))}}, all.facts()...)
	if plan := id.Capture; plan != nil && plan.Options["steps"] != "" {
		v.Facts = append(v.Facts, sheetFact{"Steps of the rules", plan.Options["steps"]})
	}
	if s.Manifest.Since != nil {
		v.Facts = append(v.Facts, sheetFact{"Goes on from", units.Of(int64(len(s.Manifest.Presumed)), "segment") + " that are not in these files, of contents " + s.Manifest.Since.Contents})
	}
	sum := sha256.Sum256(s.Text)
	v.Hashes = []sheetFact{{"Contents", s.Manifest.Contents}, {"SHA-256 of the manifest", hex.EncodeToString(sum[:])},
		{"Signed by", cmp.Or(strings.Join(s.SignedBy, ", "), "nobody")}, {"Encrypted to", cmp.Or(strings.Join(s.EncryptedTo, ", "), "nobody: it can be read by everyone")},
		{"Packed by", s.MadeBy}}
	for _, list := range [][]sheetFact{v.Facts, v.Hashes} {
		for i := range list {
			list[i].Value = printable.Text(list[i].Value)
		}
	}
	for _, f := range s.Files {
		v.Files = append(v.Files, PackedFile{printable.Text(f.Name), f.Size, f.SHA256, printable.Text(f.Holds)})
	}
	for _, m := range s.Missing {
		v.Missing = append(v.Missing, printable.Text(m))
	}
}

// Of spells a number of things.
func (*sheetView) Of(n int64, noun string) string { return units.Of(n, noun) }

// Topics looks at the records of one topic after the other.
func (v *sheetView) Topics() iter.Seq[*sheetTopic] {
	return func(yield func(*sheetTopic) bool) {
		for _, t := range v.topics {
			found, err := v.survey(t.name)
			if err != nil {
				v.err = err
				return
			}
			t.spell(found)
			for _, s := range found.Suspects {
				if s.Personal() {
					v.Personal++
				} else {
					v.Unseen++
				}
			}
			if !yield(t) {
				return
			}
			t.forget()
		}
	}
}

// survey reads the packed records of a topic.
func (v *sheetView) survey(topic string) (reshape.Surveyed, error) {
	survey, reader, buffer := reshape.NewSurvey(topic), v.sheet.Archive.NewGroupReader(1), &format.Buffer{}
	defer reader.Close()
	for p, err := range v.sheet.Archive.Places(format.Selection{Topics: []string{topic}}) {
		if err != nil {
			return reshape.Surveyed{}, err
		}
		if !v.packed[p.Segment.Path] {
			continue
		}
		if v.ctx.Err() != nil {
			return reshape.Surveyed{}, context.Cause(v.ctx)
		}
		records, err := reader.Read(&p, buffer)
		if err != nil {
			return reshape.Surveyed{}, err
		}
		for i := range records {
			survey.Add(&records[i])
		}
		if v.done += int64(len(records)); v.sheet.OnProgress != nil {
			v.sheet.OnProgress(v.done, v.total)
		}
	}
	return survey.Result(), nil
}

// sortedKeys are the keys of a count.
func sortedKeys(counts map[string]int64) []string { return slices.Sorted(maps.Keys(counts)) }

// Roles are who signs.
func (*sheetView) Roles() []string { return []string{"Prepared by", "Released by", "Received by"} }
