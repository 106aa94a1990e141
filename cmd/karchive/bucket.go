package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/units"
)

// openedStore is a place in a bucket, and what it was called on the command line.
type openedStore struct {
	given string
	*bucket.Store
}

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
	e.stores = append(e.stores, openedStore{name, s})
	return s, nil
}

// storeToWrite opens an archive's place in a bucket that is written to. A segment can be collected, or nothing is begun there. Requests do not end with
// the command: what it seals when it is interrupted is uploaded all the same.
func (e *env) storeToWrite(name string) (*bucket.Store, error) {
	s, err := e.bucketStore(context.WithoutCancel(e.ctx), name, e.spool)
	if err != nil {
		return nil, err
	}
	f, err := s.Spool()
	if err != nil {
		return nil, withHint(err, "give a directory that is there and can be written with --spool")
	}
	return s, f.Close()
}

// openOrCreateStore is openOrCreate in a bucket.
func (e *env) openOrCreateStore(name string, encoding format.Encoding) (a *format.Archive, closing func(), err error) {
	s, err := e.storeToWrite(name)
	if err != nil {
		return nil, nil, err
	}
	a, err = format.OpenOrCreate(s, format.Identity{Encoding: encoding, CreatedBy: madeBy()})
	if err == nil {
		err = checkEncoding(a, encoding)
	}
	return a, func() {
		if err := a.Close(); err != nil {
			e.warnf("%s: %v; karchive verify --write-sums does it again", s.Name(), err)
		}
	}, err
}

// stageArchive begins a new archive in a bucket, that is there when it is whole.
func (e *env) stageArchive(name string, id format.Identity) (*aside.Archive, error) {
	s, err := e.storeToWrite(name)
	if err != nil {
		return nil, err
	}
	a, err := aside.StageArchive(s, id)
	if errors.Is(err, format.ErrNotArchive) || errors.Is(err, fs.ErrExist) {
		err = withHint(err, "give a new place; what a killed copy left behind can be removed with the store's own tools")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return a, nil
}

// spoolFlag is --spool, of every command that writes archives.
func spoolFlag(e *env) cli.Flag {
	return &cli.StringFlag{Name: "spool", Usage: "collect what is to be uploaded to a bucket in `DIR`; default the one for temporary files", Destination: &e.spool}
}

// storeRequests is what was asked of the place in a bucket that was given by that name; nil: it is none.
func (e *env) storeRequests(name string) *bucket.Requests {
	i := slices.IndexFunc(e.stores, func(s openedStore) bool { return s.given == name })
	if i < 0 {
		return nil
	}
	r := e.stores[i].Requests()
	return &r
}

// allRequests is what was asked of each bucket so far; nil: of none.
func (e *env) allRequests() map[string]bucket.Requests {
	var all map[string]bucket.Requests
	for _, s := range e.stores {
		if all == nil {
			all = make(map[string]bucket.Requests)
		}
		all[s.Name()] = all[s.Name()].Plus(s.Requests())
	}
	return all
}

func isURLError(err error) bool {
	_, ok := errors.AsType[*bucketurl.URLError](err)
	return ok
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

// permissionHint says what to look at when access is denied, by a service or by a file system.
func permissionHint(err error) string {
	if errors.As(err, new(interface{ ErrorCode() string })) {
		return "look at what the account may do: it needs GetObject and ListBucket, and PutObject and AbortMultipartUpload to write"
	}
	return "check who owns it and what they may do with it"
}
