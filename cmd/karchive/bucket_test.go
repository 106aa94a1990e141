package main

import (
	"testing"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/test/membucket"
)

func TestTheRequestsOfAPlaceInABucketAreNotThoseOfOneWhoseNameItBeginsWith(t *testing.T) {
	var e env
	for i, name := range []string{"s3://archives/run1", "s3://archives/run10?region=eu-west-1"} {
		b := membucket.New().Open()
		t.Cleanup(func() { b.Close() })
		s := bucket.New(t.Context(), b, bucket.Options{Name: name})
		for range i + 1 {
			if _, err := s.ReadDir("."); err != nil {
				t.Fatal(err)
			}
		}
		e.stores = append(e.stores, openedStore{name, s})
	}
	for name, want := range map[string]int64{"s3://archives/run1": 1, "s3://archives/run10?region=eu-west-1": 2} {
		switch r := e.storeRequests(name); {
		case r == nil:
			t.Errorf("%s: got no requests, want %d", name, want)
		case r.List != want:
			t.Errorf("%s: got %d lists, want %d", name, r.List, want)
		}
	}
	for _, name := range []string{"s3://archives/run", "s3://archives/run100", "run1"} {
		if r := e.storeRequests(name); r != nil {
			t.Errorf("%s: got %s, want none", name, r)
		}
	}
}
