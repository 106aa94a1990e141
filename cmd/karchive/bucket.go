package main

import (
	"context"
	"io"
	"log"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/units"
)

// bucketStore opens an archive's place in a bucket. Requests end with ctx.
func (e *env) bucketStore(ctx context.Context, name, spool string) (*bucket.Store, error) {
	log.SetOutput(io.Discard) // the vendors' clients print what they return as well
	p, err := bucketurl.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	s := bucket.New(ctx, p.Bucket, bucket.Options{Prefix: p.Prefix, Name: p.Name, Spool: spool, OnTrouble: func(err error) {
		e.warnf("%s: %v; trying again", p.Name, err)
	}})
	e.stores = append(e.stores, s)
	return s, nil
}

// noteRequests says what was asked of buckets.
func (e *env) noteRequests() {
	for _, s := range e.stores {
		r := s.Requests()
		if r.Total() > 0 {
			e.notef("%s: %s; %s received, %s sent", s.Name(), r, units.Size(r.Received), units.Size(r.Sent))
		}
	}
}
