// Package s3fake is an S3 server in this process, for tests. It can be without a fence, as some stores are, and between it and its clients answers can be
// lost, late, or given twice.
package s3fake

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the bucket that there is.
const Bucket = "bkt"

// Server is an S3 server with one bucket. Its fields may be set before clients come.
type Server struct {
	*httptest.Server
	// NoFence lets an upload in parts replace an object that was to be created only if it is not there. That is what gofakes3 does by itself.
	NoFence atomic.Bool
	// Faults is the share of requests whose answer is lost, late, or that are made twice; Seed says which.
	Faults float64
	Seed   uint64
	// Refuse answers requests in place of the server when it returns true.
	Refuse func(http.ResponseWriter, *http.Request) bool

	inner   http.Handler
	objects *s3mem.Backend
	fence   sync.Mutex

	mu     sync.Mutex // guards random and faulty
	random *rand.Rand
	faulty int
}

// New starts a server on a free port of loopback. It ends with the test, and sets the environment to credentials that the server takes.
func New(t *testing.T) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	for name, value := range Environment() {
		t.Setenv(name, value)
	}
	return s
}

// Environment is what clients need.
func Environment() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
}

// Start is New without a test.
func Start() *Server {
	s := &Server{objects: s3mem.New()}
	if err := s.objects.CreateBucket(Bucket); err != nil {
		panic(err) // of an empty one in memory
	}
	s.inner = gofakes3.New(s.objects, gofakes3.WithoutVersioning()).Server()
	s.Server = httptest.NewServer(s)
	return s
}

// At is the URL of a place in the bucket.
func (s *Server) At(prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=%s&use_path_style=true", Bucket, prefix, s.URL)
}

// ServeHTTP answers, or does not.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Refuse != nil && s.Refuse(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	fault := s.draw()
	if fault == lostBefore {
		panic(http.ErrAbortHandler)
	}
	a := s.answer(r, body)
	switch fault {
	case doubled: // a proxy that did not hear the first answer asks again
		a = s.answer(r, body)
	case lostAfter:
		panic(http.ErrAbortHandler)
	case late:
		time.Sleep(20 * time.Millisecond)
	}
	for name, values := range a.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Code)
	w.Write(a.Body.Bytes())
}

// What becomes of a request.
const (
	nothing = iota
	lostBefore
	lostAfter
	late
	doubled
	kinds
)

func (s *Server) draw() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Faults == 0 {
		return nothing
	}
	if s.random == nil {
		s.random = rand.New(rand.NewPCG(s.Seed, 1))
	}
	if s.random.Float64() >= s.Faults {
		return nothing
	}
	s.faulty++
	return lostBefore + s.random.IntN(kinds-1)
}

// Faulty is how many requests had a fault.
func (s *Server) Faulty() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faulty
}

// answer asks gofakes3, behind the fence.
func (s *Server) answer(r *http.Request, body []byte) *httptest.ResponseRecorder {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	a := httptest.NewRecorder()
	if !s.NoFence.Load() && r.Header.Get("If-None-Match") == "*" {
		s.fence.Lock()
		defer s.fence.Unlock()
		if s.has(r.URL.Path) {
			a.Header().Set("Content-Type", "application/xml")
			a.WriteHeader(http.StatusPreconditionFailed)
			io.WriteString(a, `<?xml version="1.0"?><Error><Code>PreconditionFailed</Code><Message>the object is there</Message></Error>`)
			return a
		}
	}
	s.inner.ServeHTTP(a, r)
	return a
}

func (s *Server) has(path string) bool {
	key := strings.TrimPrefix(path, "/"+Bucket+"/")
	_, err := s.objects.HeadObject(Bucket, key)
	return err == nil
}
