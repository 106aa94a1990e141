package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/test/s3fake"
)

// policy is one of AWS IAM, as far as docs/running.md uses them.
type policy struct {
	Statement []struct {
		Effect   string
		Action   []string
		Resource string
	}
}

func (p policy) allows(action, resource string) bool {
	for _, s := range p.Statement {
		prefix, open := strings.CutSuffix(s.Resource, "*")
		if s.Effect == "Allow" && slices.Contains(s.Action, action) && (resource == s.Resource || open && strings.HasPrefix(resource, prefix)) {
			return true
		}
	}
	return false
}

// policyOfTheDocs is what docs/running.md gives a capture into s3://backup/orders.
func policyOfTheDocs(t *testing.T) (p policy) {
	t.Helper()
	_, text, _ := strings.Cut(readFile(t, "../../docs/running.md"), "```json\n{\n  \"Version\"")
	text, _, found := strings.Cut(text, "```")
	if !found {
		t.Fatal("docs/running.md has no policy")
	}
	if err := json.Unmarshal([]byte("{\"Version\""+text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// actionOf names a request as IAM does, and what it is about.
func actionOf(r *http.Request) (action, resource string) {
	key := strings.TrimPrefix(r.URL.Path, "/"+s3fake.Bucket)
	resource = "arn:aws:s3:::backup" + strings.TrimSuffix(key, "/")
	upload := r.URL.Query().Has("uploadId")
	switch {
	case key == "" || key == "/":
		if r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2" {
			return "s3:ListBucket", resource
		}
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return "s3:GetObject", resource
	case r.Method == http.MethodPut || r.Method == http.MethodPost && (upload || r.URL.Query().Has("uploads")):
		return "s3:PutObject", resource
	case r.Method == http.MethodDelete && upload:
		return "s3:AbortMultipartUpload", resource
	case r.Method == http.MethodDelete:
		return "s3:DeleteObject", resource
	}
	return "unknown " + r.Method, resource
}

// guarded is a store that does what a policy allows and denies all else. It keeps what was used.
type guarded struct {
	*s3fake.Server
	mu     sync.Mutex
	policy policy
	used   map[string]bool
}

func newGuarded(t *testing.T, p policy) *guarded {
	g := &guarded{Server: s3fake.New(t), policy: p, used: map[string]bool{}}
	g.Refuse = func(w http.ResponseWriter, r *http.Request) bool {
		action, resource := actionOf(r)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.policy.allows(action, resource) {
			g.used[action] = true
			return false
		}
		t.Errorf("the policy does not allow %s of %s", action, resource)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		return true
	}
	return g
}

// TestThePolicyOfTheDocsIsEnoughAndNotMore has commands work with a store that allows what docs/running.md says.
func TestThePolicyOfTheDocsIsEnoughAndNotMore(t *testing.T) {
	p := policyOfTheDocs(t)
	store := newGuarded(t, p)
	source := watched(t, kmsg.Fetch, func(kmsg.Request) bool { return false })
	archive := store.At("orders")
	runHere(t, "capture", "-b", source, "-t", "orders", "-o", archive)
	runHere(t, "verify", archive, "--write-sums")
	capturing := slices.Sorted(maps.Keys(store.used))
	var allowed []string
	for _, s := range p.Statement {
		allowed = append(allowed, s.Action...)
	}
	if slices.Sort(allowed); !slices.Equal(capturing, allowed) {
		t.Errorf("a capture uses %v, and the policy allows %v", capturing, allowed)
	}
	store.used = map[string]bool{}
	runHere(t, "info", archive)
	runHere(t, "verify", archive, "--deep")
	runHere(t, "cat", archive)
	runHere(t, "copy", archive, "-o", filepath.Join(t.TempDir(), "copy"))
	if reading := slices.Sorted(maps.Keys(store.used)); !slices.Equal(reading, []string{"s3:GetObject", "s3:ListBucket"}) {
		t.Errorf("reading uses %v", reading)
	}
}
