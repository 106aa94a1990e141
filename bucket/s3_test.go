package bucket_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/test/s3fake"
)

func openS3(t *testing.T, url string) *bucket.Store {
	t.Helper()
	p, err := bucketurl.Open(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { p.Bucket.Close() })
	return bucket.New(t.Context(), p.Bucket, bucket.Options{Prefix: p.Prefix, Name: p.Name})
}

func TestAStoreThatLosesTheFenceOfUploadsInPartsIsRefused(t *testing.T) {
	server := s3fake.New(t)
	server.NoFence.Store(true)
	_, err := format.Create(openS3(t, server.At("run1")), format.Identity{})
	var fence *bucket.FenceError
	if !errors.As(err, &fence) || fence.How != "in parts" || !strings.Contains(err.Error(), "s3://bkt/run1") {
		t.Errorf("got %v, want a FenceError of uploads in parts that names the archive", err)
	}
}

func TestALargeSegmentGoesToS3InParts(t *testing.T) {
	s := openS3(t, s3fake.New(t).At("run1"))
	ok(t, s.Probe())
	ok(t, s.Probe())
	content := make([]byte, 20<<20)
	rand.NewChaCha8([32]byte{2}).Read(content)
	f, sha := spooled(t, s, content)
	ok(t, s.Publish(segment, f, sha))
	ok(t, s.Publish(segment, f, sha))
	if got := read(t, s, segment); got != string(content) {
		t.Error("the object has other bytes")
	}
	other, otherSHA := spooled(t, s, append(content, 1))
	if err := s.Publish(segment, other, otherSHA); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another object of the name: got %v, want %v", err, fs.ErrExist)
	}
}

func TestAProxyThatLosesDelaysAndDoublesAnswersChangesNothing(t *testing.T) {
	server := s3fake.New(t)
	server.Faults, server.Seed = 0.4, 4
	s := openS3(t, server.At("run1")).WithoutPauses()
	a, err := openOrCreate(s, plan(9))
	ok(t, err)
	for next := int64(1); next <= 9; next++ {
		ok(t, seal(a, orders, next))
	}
	ok(t, a.Close())
	server.Faults = 0
	ok(t, whole(s, 9))
	if server.Faulty() < 10 { // what the client of S3 asks again is not counted in Requests
		t.Errorf("%d requests had a fault", server.Faulty())
	}
}

func TestWhatAStoreSaysIsNamedShortly(t *testing.T) {
	server := s3fake.New(t)
	code, status := "", 0
	server.Refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if code == "" {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>because of that</Message></Error>`, code)
		return true
	}
	for _, c := range []struct {
		code   string
		status int
		want   string
		like   error
	}{
		{"AccessDenied", 403, "AccessDenied: because of that", fs.ErrPermission},
		{"SignatureDoesNotMatch", 403, "SignatureDoesNotMatch: because of that", nil},
		{"InvalidAccessKeyId", 403, "InvalidAccessKeyId: because of that", nil},
		{"NoSuchBucket", 404, "there is no such bucket", nil},
		{"ExpiredToken", 400, "ExpiredToken: because of that", nil},
		{"SlowDown", 503, "SlowDown: because of that", nil},
		{"InvalidRequest", 400, "InvalidRequest: because of that", nil},
		{"PermanentRedirect", 301, "PermanentRedirect: because of that", nil},
	} {
		code, status = c.code, c.status
		p, err := bucketurl.Open(t.Context(), server.At("run1"))
		ok(t, err)
		s := bucket.New(t.Context(), p.Bucket, bucket.Options{Prefix: p.Prefix, Patience: 100 * time.Millisecond}).WithoutPauses()
		_, err = format.Open(s)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 || c.like != nil && !errors.Is(err, c.like) {
			t.Errorf("%s: got %v, want %q", c.code, err, c.want)
		}
		passes := c.code == "SlowDown" || c.code == "ExpiredToken"
		if again := s.Requests().Again; passes != (again > 0) {
			t.Errorf("%s: asked again %d times", c.code, again)
		}
	}
}

func TestAStoreThatNobodyListensForIsNamedSoon(t *testing.T) {
	server := s3fake.New(t)
	at := server.At("run1")
	server.Close()
	var told []error
	p, err := bucketurl.Open(t.Context(), at)
	ok(t, err)
	s := bucket.New(t.Context(), p.Bucket, bucket.Options{Prefix: p.Prefix, OnTrouble: func(err error) { told = append(told, err) }}).WithoutPauses()
	_, err = format.Open(s)
	var gave *bucket.GaveUpError
	if !errors.As(err, &gave) || gave.For > time.Minute || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want a GaveUpError", err)
	}
	if len(told) == 0 {
		t.Error("nobody was told")
	}
}
