//go:build iceberg

package iceberg_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	"github.com/apache/iceberg-go/table"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/iceberg"
)

// server speaks what Export asks of the REST protocol, over another catalog.
type server struct {
	catalog.Catalog
	t          *testing.T
	loseAnswer bool // to the next commit, which is made
	failCommit bool // the next, which is not made
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch route := r.Method + " " + strings.Join(parts[:min(len(parts), 2)], "/"); {
	case route == "GET v1/config":
		s.answer(w, map[string]any{"defaults": map[string]string{}, "overrides": map[string]string{}}, nil)
	case route == "POST v1/namespaces" && len(parts) == 2:
		var in struct{ Namespace []string }
		s.read(r, &in)
		s.answer(w, map[string]any{"namespace": in.Namespace}, s.CreateNamespace(r.Context(), in.Namespace, nil))
	case len(parts) == 3:
		_, err := s.LoadNamespaceProperties(r.Context(), parts[2:3])
		s.answer(w, map[string]any{"namespace": parts[2:3]}, err)
	case len(parts) == 4 && r.Method == http.MethodPost:
		s.create(w, r, parts[2])
	case len(parts) == 5 && r.Method == http.MethodPost:
		s.commit(w, r, table.Identifier{parts[2], parts[4]})
	default:
		tbl, err := s.LoadTable(r.Context(), table.Identifier{parts[2], parts[len(parts)-1]})
		s.table(w, tbl, err)
	}
}

func (s *server) create(w http.ResponseWriter, r *http.Request, namespace string) {
	var in struct {
		Name   string
		Schema *ice.Schema
		Spec   *ice.PartitionSpec `json:"partition-spec"`
		Props  ice.Properties     `json:"properties"`
	}
	s.read(r, &in)
	tbl, err := s.CreateTable(r.Context(), table.Identifier{namespace, in.Name}, in.Schema, catalog.WithPartitionSpec(in.Spec), catalog.WithProperties(in.Props))
	s.table(w, tbl, err)
}

func (s *server) commit(w http.ResponseWriter, r *http.Request, n table.Identifier) {
	var in struct {
		Requirements table.Requirements
		Updates      table.Updates
	}
	s.read(r, &in)
	if s.failCommit {
		s.failCommit = false
		http.Error(w, "{}", http.StatusGatewayTimeout)
		return
	}
	_, _, err := s.CommitTable(r.Context(), n, in.Requirements, in.Updates)
	if s.loseAnswer && err == nil {
		s.loseAnswer = false
		http.Error(w, "{}", http.StatusGatewayTimeout)
		return
	}
	tbl, loading := s.LoadTable(r.Context(), n)
	s.table(w, tbl, errors.Join(err, loading))
}

func (s *server) table(w http.ResponseWriter, tbl *table.Table, err error) {
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	s.answer(w, map[string]any{"metadata-location": tbl.MetadataLocation(), "metadata": tbl.Metadata()}, nil)
}

func (s *server) answer(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, catalog.ErrNoSuchTable), errors.Is(err, catalog.ErrNoSuchNamespace):
		status = http.StatusNotFound
	default: // what fails here is a requirement
		status = http.StatusConflict
	}
	if err != nil {
		v = map[string]any{"error": map[string]any{"message": err.Error(), "type": "Error", "code": status}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.t.Error(err)
	}
}

func (s *server) read(r *http.Request, v any) {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}

func restCatalog(t *testing.T) (s *server, cat catalog.Catalog) {
	t.Helper()
	s = &server{Catalog: tables(t), t: t}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	cat, err := rest.NewCatalog(t.Context(), "default", h.URL)
	if err != nil {
		t.Fatal(err)
	}
	return s, cat
}

func TestARESTCatalogGetsTheSameTables(t *testing.T) {
	a, at := archive(t, format.Identity{})
	seal(t, a, "orders", 0, 0, 3)
	seal(t, a, "orders", 1, 0, 2)
	s, cat := restCatalog(t)
	o := iceberg.Options{Location: at}
	if got := export(t, a, cat, o); !got.Created || got.Records != 5 {
		t.Errorf("got %+v", got)
	}
	seal(t, a, "orders", 0, 3, 1)
	prune(t, a, 3)
	if got := export(t, a, cat, o); got.Added != 1 || got.Removed != 1 || got.Records != 3 {
		t.Errorf("got %+v", got)
	}
	if got := export(t, a, cat, o); got.Changed() {
		t.Errorf("got %+v, want no change", got)
	}
	same(t, files(t, s.Catalog, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000003.parquet [0] 1",
		"topic=orders/partition=1/00000000000000000000.parquet [1] 2"})
}

func TestACommitWhoseAnswerIsLostCountsWhenItWasMade(t *testing.T) {
	a, at := archive(t, format.Identity{})
	seal(t, a, "orders", 0, 0, 3)
	s, cat := restCatalog(t)
	o := iceberg.Options{Location: at}
	s.failCommit = true
	if _, err := iceberg.Export(t.Context(), a, cat, o); err == nil {
		t.Fatal("a commit that was not made was no error")
	}
	s.loseAnswer = true
	if got := export(t, a, cat, o); got.Added != 1 || got.Snapshot == 0 {
		t.Errorf("got %+v, want what the commit made", got)
	}
	if got := export(t, a, cat, o); got.Changed() || got.Segments != 1 {
		t.Errorf("got %+v, want no change", got)
	}
}

func TestTwoExportsThroughARESTCatalogAddEachSegmentOnce(t *testing.T) {
	a, at := archive(t, format.Identity{})
	seal(t, a, "orders", 0, 0, 3)
	s, cat := restCatalog(t)
	o := iceberg.Options{Location: at}
	export(t, a, cat, o)
	seal(t, a, "orders", 0, 3, 1)
	export(t, a, &between{Catalog: cat, loaded: func() { export(t, a, cat, o) }}, o)
	same(t, files(t, s.Catalog, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000000.parquet [0] 3",
		"topic=orders/partition=0/00000000000000000003.parquet [0] 1"})
}
