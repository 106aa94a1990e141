package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"gocloud.dev/blob"

	"github.com/karchive/karchive/format/storage"
)

// partBytes is the size of the parts in which a large object is sent, and what an upload has in memory is a few of them. S3 takes 10,000 parts of
// an object, and no part of less than 5 MiB.
const partBytes = 8 << 20

// Publish implements storage.Store. It waits while others are being uploaded, [Uploads] at once, so what is to be uploaded does not pile up.
func (s *Store) Publish(name string, f storage.ReadFile, sha string) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	if err := s.upload(name, io.NewSectionReader(f, 0, size), size, sha, false); err != nil {
		return err
	}
	s.noteSize(name, size)
	return nil
}

// Put implements storage.Store.
func (s *Store) Put(name string, content []byte, replace bool) error {
	sum := sha256.Sum256(content)
	return s.upload(name, bytes.NewReader(content), int64(len(content)), hex.EncodeToString(sum[:]), replace)
}

// upload makes an object of size bytes of body. An attempt whose answer was lost is answered, when it is made again, as if somebody else had come first.
func (s *Store) upload(name string, body io.ReadSeeker, size int64, sha string, replace bool) error {
	key, err := s.key("write", name)
	if err != nil {
		return err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-s.ctx.Done():
		return &fs.PathError{Op: "write", Path: name, Err: context.Cause(s.ctx)}
	}
	o := &blob.WriterOptions{
		BufferSize: partBytes, MaxConcurrency: 1, ContentType: "application/octet-stream", DisableContentTypeDetection: true,
		Metadata: map[string]string{metaSHA256: sha}, IfNotExist: !replace,
	}
	err = s.again("write", name, limitFor(size), &s.counters.put, func(ctx context.Context) error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		s.counters.sent.Add(size)
		return s.bucket.Upload(ctx, key, body, o)
	})
	if !replace && errors.Is(err, fs.ErrExist) {
		same, failed := s.isOurs(name, key, size, sha)
		if failed != nil {
			return fmt.Errorf("%w; whether it is the same object: %w", err, failed)
		}
		if same {
			return nil
		}
	}
	return err
}

// isOurs says whether the object that has the name already has the bytes that were to get it. One without our metadata, which tools that copy
// may drop, is read.
func (s *Store) isOurs(name, key string, size int64, sha string) (bool, error) {
	a, err := s.attributes(name, key)
	if err != nil {
		return false, err
	}
	if a.Size != size {
		return false, nil
	}
	if there := a.Metadata[metaSHA256]; there != "" {
		return there == sha, nil
	}
	h := sha256.New()
	f := &file{store: s, name: name, key: key, size: size}
	defer f.Close()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		return false, err
	}
	return hex.EncodeToString(h.Sum(nil)) == sha, nil
}
