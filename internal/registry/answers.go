package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format/origin"
)

// stored is a schema as a registry answers. Registries get new words for languages, rules, levels and modes with their releases, and the
// client refuses an answer with one that it does not know. So these are texts here, and of rules and metadata counts only that there are any.
type stored struct {
	Subject    string               `json:"subject"`
	Version    int                  `json:"version"`
	ID         int                  `json:"id"`
	GUID       string               `json:"guid"`
	Type       string               `json:"schemaType"`
	Text       string               `json:"schema"`
	References []sr.SchemaReference `json:"references"`
	Metadata   json.RawMessage      `json:"metadata"`
	Rules      json.RawMessage      `json:"ruleSet"`
}

// maxWord bounds the words of registries that archives keep.
const maxWord = 100

func (s *stored) language() origin.SchemaType {
	return origin.SchemaType(cmp.Or(strings.ToUpper(s.Type), string(origin.AvroSchema)))
}

// ruled says that a schema has metadata or rules.
func (s *stored) ruled() bool {
	something := func(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" }
	return something(s.Metadata) || something(s.Rules)
}

// is says that a target's schema is that of the archive. References count by what they name.
func (s *stored) is(other origin.Schema) bool {
	return s.language() == other.Type && sameText(other.Type, s.Text, other.Text)
}

func (c *Client) byID(ctx context.Context, id int32) (stored, error) {
	return c.stored(ctx, http.MethodGet, fmt.Sprintf("/schemas/ids/%d", id), nil)
}

func (c *Client) byVersion(ctx context.Context, subject string, version int) (stored, error) {
	return c.stored(ctx, http.MethodGet, fmt.Sprintf("/subjects/%s/versions/%d", url.PathEscape(subject), version), nil)
}

// lookUp finds a schema under a subject.
func (c *Client) lookUp(ctx context.Context, subject string, s sr.Schema) (stored, error) {
	return c.stored(ctx, http.MethodPost, "/subjects/"+url.PathEscape(subject), s)
}

func (c *Client) stored(ctx context.Context, method, path string, question any) (stored, error) {
	var s stored
	err := c.registry.Do(ctx, method, path, question, &s)
	if err == nil && len(s.Type) > maxWord {
		err = &AnswerError{fmt.Sprintf("a language with a name of %d bytes", len(s.Type))}
	}
	return s, err
}

// compatibility is what a subject has of its own; empty: nothing, or the registry does not tell.
func (c *Client) compatibility(ctx context.Context, subject string) string {
	var answer struct {
		Level string `json:"compatibilityLevel"`
	}
	err := c.registry.Do(sr.WithParams(ctx, ownOnly), http.MethodGet, "/config/"+url.PathEscape(subject), nil, &answer)
	if err != nil || len(answer.Level) > maxWord {
		return ""
	}
	return answer.Level
}

// modes are the question and the answer about the mode of a subject.
type modes struct {
	Mode string `json:"mode"`
}

// mode is that of a subject, or the mode of all for an empty one.
func (c *Client) mode(ctx context.Context, subject string) (string, error) {
	path := "/mode"
	if subject != "" {
		path += "/" + url.PathEscape(subject)
	}
	var m modes
	err := c.registry.Do(ctx, http.MethodGet, path, nil, &m)
	return m.Mode, err
}

func (c *Client) setMode(ctx context.Context, subject, mode string) error {
	return c.registry.Do(ctx, http.MethodPut, "/mode/"+url.PathEscape(subject), modes{mode}, nil)
}
