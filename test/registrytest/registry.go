// Package registrytest is a schema registry for tests that also takes schemas under ids of the client's choice, as Confluent's does in its
// import mode, which franz-go's fake does not.
package registrytest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// Registry is a registry. Close ends it.
type Registry struct {
	*srfake.Registry

	mu    sync.Mutex
	kind  Modes
	modes map[string]string // of subjects that have one of their own
	ids   map[int]string    // texts of the schemas that were imported
}

// Modes is how a registry takes questions about modes.
type Modes uint8

// The kinds.
const (
	WithImport   Modes = iota // as Confluent's: a schema gets the id that is asked for in import mode, and only there
	WithoutModes              // it knows no modes, and gives ids of its own
	OnlyYes                   // it says yes to every mode and has one, as Apicurio's, and gives ids of its own
)

// Has makes a registry one of a kind.
func (r *Registry) Has(kind Modes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind = kind
}

// New starts a registry.
func New(opts ...srfake.Option) *Registry {
	r := &Registry{Registry: srfake.New(opts...), modes: map[string]string{}, ids: map[int]string{}}
	r.Intercept(r.mode)
	r.Intercept(r.register)
	return r
}

func (r *Registry) has(kind Modes) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kind == kind
}

// Mode is the mode of a subject, and whether it has one of its own.
func (r *Registry) Mode(subject string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, own := r.modes[subject]
	return m, own
}

func refuse(w http.ResponseWriter, code int, text string) bool {
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	w.WriteHeader(code / 100)
	json.NewEncoder(w).Encode(map[string]any{"error_code": code, "message": text})
	return true
}

// mode refuses the import mode of subjects that have versions, unless it is forced.
func (r *Registry) mode(w http.ResponseWriter, req *http.Request) bool {
	subject, ok := strings.CutPrefix(req.URL.Path, "/mode/")
	if r.has(WithoutModes) && (ok || req.URL.Path == "/mode") {
		http.NotFound(w, req)
		return true
	}
	if !ok {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kind == OnlyYes && req.Method != http.MethodGet {
		w.Write([]byte(`{"mode":"IMPORT"}`))
		return true
	}
	if req.Method == http.MethodGet {
		m, own := r.modes[subject]
		if !own && req.URL.Query().Get("defaultToGlobal") == "false" {
			return refuse(w, 40409, "subject "+subject+" has no mode of its own")
		}
		if !own {
			m = sr.ModeReadWrite.String()
		}
		json.NewEncoder(w).Encode(map[string]string{"mode": m})
		return true
	}
	if req.Method == http.MethodDelete {
		delete(r.modes, subject)
		w.Write([]byte(`{"mode":"IMPORT"}`))
		return true
	}
	var body struct {
		Mode string `json:"mode"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return refuse(w, 42204, err.Error())
	}
	if body.Mode == sr.ModeImport.String() && r.SubjectExists(subject) && req.URL.Query().Get("force") != "true" {
		return refuse(w, 42205, "cannot import since found existing subjects")
	}
	r.modes[subject] = body.Mode
	json.NewEncoder(w).Encode(body)
	return true
}

// register takes a schema with an id and a version in the import mode, and without them in any other.
func (r *Registry) register(w http.ResponseWriter, req *http.Request) bool {
	subject, ok := strings.CutSuffix(strings.TrimPrefix(req.URL.Path, "/subjects/"), "/versions")
	if !ok || req.Method != http.MethodPost {
		return false
	}
	var s sr.SubjectSchema
	if err := json.NewDecoder(req.Body).Decode(&s); err != nil {
		return refuse(w, 42201, err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	mode, own := r.modes[subject]
	imports := own && mode == sr.ModeImport.String()
	if r.kind != WithImport {
		s.ID = 0
	}
	if imports != (s.ID > 0) {
		return refuse(w, 42205, "subject "+subject+" is in another mode")
	}
	if imports && r.ids[s.ID] == "" {
		r.ids[s.ID] = s.Schema.Schema
		r.SeedSchema(subject, s.Version, s.ID, s.Schema)
		json.NewEncoder(w).Encode(map[string]int{"id": s.ID})
		return true
	}
	if imports && r.ids[s.ID] != s.Schema.Schema {
		return refuse(w, 42207, "the id is that of another schema")
	}
	id, _, err := r.RegisterSchema(subject, s.Schema)
	if err != nil {
		return refuse(w, 42201, err.Error())
	}
	json.NewEncoder(w).Encode(map[string]int{"id": id})
	return true
}
