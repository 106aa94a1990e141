// Package bucketurl opens the buckets that URLs name: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, azblob://CONTAINER/PREFIX, with the query options that
// gocloud.dev documents. Credentials come from where the vendor's own tools take them, and are never part of a URL.
package bucketurl

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gocloud.dev/blob"
)

// scheme is a kind of bucket.
type scheme struct {
	name   string
	what   string
	tag    string // that a build needs for it; empty: every build has it
	open   func(ctx context.Context, u *url.URL) (*blob.Bucket, error)
	secret []string // options that would hold a secret, or the name of another place
}

// schemes are what URLs may begin with. Files with build tags fill in how to open some.
var schemes = []*scheme{s3, gs, azblob}

// looksLike is how names begin that nobody gives to a directory or a file: s3:/run1 and gcs://bkt/run1 are mistakes that would else fill the disk
// of this machine. One letter and a colon are a drive of Windows.
var looksLike = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]+://|(?i:s3|gs|azblob):/)`)

// Is says whether a name is meant as a URL of a bucket. That it can be opened is for Open to say.
func Is(name string) bool { return looksLike.MatchString(name) }

func of(name string) *scheme {
	i := slices.IndexFunc(schemes, func(s *scheme) bool { return strings.HasPrefix(name, s.name+"://") })
	if i < 0 {
		return nil
	}
	return schemes[i]
}

// URLError is returned for a URL that names no bucket that can be opened.
type URLError struct {
	URL string // without its options
	Why string
}

func (e *URLError) Error() string { return e.URL + ": " + e.Why }

// Place is what a URL names.
type Place struct {
	Bucket *blob.Bucket
	Prefix string // within the bucket; empty: its root
	Name   string // the URL without its options, for messages
}

// Open opens the bucket of a URL. Nothing is asked of the store, but of where credentials come from.
func Open(ctx context.Context, name string) (Place, error) {
	s := of(name)
	if s == nil {
		return Place{}, &URLError{cmp.Or(looksLike.FindString(name), name), "not the URL of a bucket: those begin with s3://, gs:// or azblob://"}
	}
	u, err := url.Parse(name)
	if err != nil {
		return Place{}, &URLError{s.name + "://", "not a URL: use " + s.name + "://BUCKET/PREFIX?OPTION=VALUE"}
	}
	p := Place{Prefix: strings.Trim(u.Path, "/"), Name: s.name + "://" + u.Host + u.Path}
	if err := s.check(u, p); err != nil {
		return Place{}, err
	}
	u.Path = ""
	if p.Bucket, err = s.open(ctx, u); err != nil {
		return Place{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	return p, nil
}

// check refuses what would be misunderstood, or would put a secret where everybody can read it.
func (s *scheme) check(u *url.URL, p Place) error {
	refuse := func(format string, args ...any) error { return &URLError{p.Name, fmt.Sprintf(format, args...)} }
	switch {
	case u.User != nil:
		return refuse("a URL holds no credentials: they come from where the vendor's own tools take them")
	case u.Host == "":
		return refuse("it names no bucket: use %s://BUCKET/PREFIX", s.name)
	case u.Fragment != "":
		return refuse("# has no meaning in it")
	case s.open == nil:
		return refuse("this program was built without %s: build it with -tags %s", s.what, s.tag)
	case slices.ContainsFunc(strings.Split(p.Prefix, "/"), func(part string) bool { return part == "." || part == ".." || part == "" && p.Prefix != "" }):
		return refuse("its path has a part that is empty or made of dots")
	}
	for option := range u.Query() {
		if option == "prefix" || option == "key" {
			return refuse("the option %s is not taken: write the path behind the bucket", option)
		}
		if slices.Contains(s.secret, option) {
			return refuse("the option %s is not taken: a command line is no place for it", option)
		}
	}
	return nil
}
