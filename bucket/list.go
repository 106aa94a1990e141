package bucket

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// pageSize is what S3 gives at most.
const pageSize = 1000

// List implements storage.Store.
func (s *Store) List(dir string, visit func(name string, size int64) error) error {
	prefix, err := s.dirKey("list", dir)
	if err != nil {
		return err
	}
	return s.pages(dir, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		name := strings.TrimPrefix(o.Key, s.prefix)
		if strings.HasSuffix(name, "/") { // consoles make empty objects of such names for what they show as directories
			return nil
		}
		s.noteSize(name, o.Size)
		return visit(name, o.Size)
	})
}

// dirKey is the prefix of the keys of all that is in a directory.
func (s *Store) dirKey(op, dir string) (string, error) {
	key, err := s.key(op, dir)
	if dir != "." {
		key += "/"
	}
	return key, err
}

// pages lists page by page.
func (s *Store) pages(dir string, o *blob.ListOptions, visit func(*blob.ListObject) error) error {
	for token := blob.FirstPageToken; token != nil; {
		var list []*blob.ListObject
		err := s.again("list", dir, answerLimit, &s.counters.list, func(ctx context.Context) error {
			page, next, err := s.bucket.ListPage(ctx, token, pageSize, o)
			if err == nil {
				list, token = page, next
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range list {
			if err := visit(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteSize remembers the size of an object that never changes, so that to open it costs no request.
func (s *Store) noteSize(name string, size int64) {
	if !strings.HasPrefix(name, dataPrefix) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes[name] = size
}

func (s *Store) size(name string) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.sizes[name]
	return n, ok
}

// ReadDir implements storage.ReadFS. A directory is what the names of objects go through: one without any is not there.
func (s *Store) ReadDir(name string) ([]fs.DirEntry, error) {
	prefix, err := s.dirKey("list", name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	err = s.pages(name, &blob.ListOptions{Prefix: prefix, Delimiter: "/"}, func(o *blob.ListObject) error {
		base := strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), "/")
		if base != "" && (o.IsDir || !strings.HasSuffix(o.Key, "/")) {
			entries = append(entries, fs.FileInfoToDirEntry(info{base, o.Size, o.ModTime, o.IsDir}))
		}
		return nil
	})
	if err == nil && len(entries) == 0 && name != "." {
		err = &fs.PathError{Op: "list", Path: name, Err: fs.ErrNotExist}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// Stat implements storage.ReadFS.
func (s *Store) Stat(name string) (fs.FileInfo, error) {
	key, err := s.key("stat", name)
	if err != nil {
		return nil, err
	}
	if name == "." {
		return info{name: ".", dir: true}, nil
	}
	a, err := s.attributes(name, key)
	if err == nil {
		s.noteSize(name, a.Size)
		return info{path.Base(name), a.Size, a.ModTime, false}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, listed := s.ReadDir(name); listed != nil {
		return nil, err
	}
	return info{name: path.Base(name), dir: true}, nil
}

func (s *Store) attributes(name, key string) (a *blob.Attributes, err error) {
	err = s.again("stat", name, answerLimit, &s.counters.head, func(ctx context.Context) error {
		a, err = s.bucket.Attributes(ctx, key)
		return err
	})
	return a, err
}

// metaSHA256 is the key of an object's metadata that has the SHA-256 of its bytes in hex.
const metaSHA256 = "karchive_sha256"

// SHA256 implements storage.Store.
func (s *Store) SHA256(name string) (string, error) {
	key, err := s.key("stat", name)
	if err != nil {
		return "", err
	}
	a, err := s.attributes(name, key)
	if err != nil {
		return "", err
	}
	return a.Metadata[metaSHA256], nil
}

// Remove implements storage.Store.
func (s *Store) Remove(name string) error {
	key, err := s.key("remove", name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.sizes, name)
	s.mu.Unlock()
	return s.again("remove", name, answerLimit, &s.counters.remove, func(ctx context.Context) error {
		err := s.bucket.Delete(ctx, key)
		if gcerrors.Code(err) == gcerrors.NotFound {
			return nil
		}
		return err
	})
}

// info describes an object, or a directory that is made of names.
type info struct {
	name string
	size int64
	time time.Time
	dir  bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o550
	}
	return 0o440
}
