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
	modes map[string]sr.Mode // of subjects that have one of their own
	ids   map[int]string     // texts of the schemas that were imported
}

// New starts a registry.
func New(opts ...srfake.Option) *Registry {
	r := &Registry{Registry: srfake.New(opts...), modes: map[string]sr.Mode{}, ids: map[int]string{}}
	r.Intercept(r.mode)
	r.Intercept(r.register)
	return r
}

// Mode is the mode of a subject, and whether it has one of its own.
func (r *Registry) Mode(subject string) (sr.Mode, bool) {
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

// mode refuses the import mode of subjects that have versions.
func (r *Registry) mode(w http.ResponseWriter, req *http.Request) bool {
	subject, ok := strings.CutPrefix(req.URL.Path, "/mode/")
	if !ok || req.Method == http.MethodGet {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Method == http.MethodDelete {
		delete(r.modes, subject)
		w.Write([]byte(`{"mode":"IMPORT"}`))
		return true
	}
	var body struct {
		Mode sr.Mode `json:"mode"`
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return refuse(w, 42204, err.Error())
	}
	if body.Mode == sr.ModeImport && r.SubjectExists(subject) {
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
	imports := own && mode == sr.ModeImport
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
