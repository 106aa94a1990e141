package pack

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/karchive/karchive/format/storage"
)

// FS is the archive in the packed files, as a place to read it from. Files of parts that are missing are not there.
func (p *Pack) FS() storage.ReadFS {
	f := packFS{p: p, nodes: map[string]*node{".": {name: ".", dir: true}}}
	for _, q := range p.parts {
		if q == nil {
			continue
		}
		for _, file := range slices.Concat(p.Manifest.Root, p.Manifest.Parts[q.number].Files) {
			f.add(file.Path, &node{name: path.Base(file.Path), part: q, entry: q.places[file.Path]})
		}
	}
	return f
}

// packFS implements storage.ReadFS.
type packFS struct {
	p     *Pack
	nodes map[string]*node // by path
}

// node is a file or a directory. It implements fs.FileInfo and, with fs.FileInfoToDirEntry, fs.DirEntry.
type node struct {
	name     string
	dir      bool
	children map[string]*node
	part     *part
	entry    *entry
}

func (f packFS) add(name string, n *node) {
	f.nodes[name] = n
	for name != "." {
		parent := path.Dir(name)
		d := f.nodes[parent]
		known := d != nil
		if !known {
			d = &node{name: path.Base(parent), dir: true}
			f.nodes[parent] = d
		}
		if d.children == nil {
			d.children = map[string]*node{}
		}
		d.children[n.name] = n
		if known {
			return
		}
		name, n = parent, d
	}
}

func (f packFS) find(op, name string) (*node, error) {
	if n := f.nodes[name]; n != nil {
		return n, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

func (f packFS) Open(name string) (storage.ReadFile, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	r, err := n.part.open(n.entry)
	if err != nil {
		return nil, err
	}
	return packedFile{r}, nil
}

func (f packFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for _, child := range slices.Sorted(maps.Keys(n.children)) {
		entries = append(entries, fs.FileInfoToDirEntry(n.children[child]))
	}
	return entries, nil
}

func (f packFS) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// packedFile implements storage.ReadFile. The part closes the file beneath.
type packedFile struct{ *io.SectionReader }

func (packedFile) Close() error { return nil }

func (f packedFile) Size() (int64, error) { return f.SectionReader.Size(), nil }

func (n *node) Name() string       { return n.name }
func (n *node) IsDir() bool        { return n.dir }
func (n *node) ModTime() time.Time { return time.Time{} }
func (n *node) Sys() any           { return nil }

func (n *node) Size() int64 {
	if n.dir {
		return 0
	}
	return n.entry.size
}

func (n *node) Mode() fs.FileMode {
	if n.dir {
		return fs.ModeDir | 0o550
	}
	return 0o440
}
