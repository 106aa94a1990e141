package memfs

import (
	"bytes"
	"path"
	"strings"
)

// Files is a copy of what reads of every file would give, by path. It is no operation, and works after a crash.
func (f *FS) Files() map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	files := map[string][]byte{}
	f.root.collect("", files)
	return files
}

func (d *dir) collect(at string, files map[string][]byte) {
	for _, e := range d.now {
		name := path.Join(at, e.name)
		if e.dir != nil {
			e.dir.collect(name, files)
		} else {
			files[name] = bytes.Clone(e.file.data)
		}
	}
}

// FromFiles returns a file system that durably holds the files, and the directories that they need. The caller keeps the map.
// With FS.Files it makes a copy to damage.
func FromFiles(o Options, files map[string][]byte) *FS {
	f := New(o)
	for name, data := range files {
		d := f.root
		elems := strings.Split(name, "/")
		for _, elem := range elems[:len(elems)-1] {
			d = f.mkdir(d, elem)
		}
		base := elems[len(elems)-1]
		d.put(f.key(base), &entry{name: base, file: &fileNode{data: bytes.Clone(data), disk: bytes.Clone(data), links: 1}})
	}
	return f
}

// mkdir finds a directory in d, or makes it durably.
func (f *FS) mkdir(d *dir, elem string) *dir {
	key := f.key(elem)
	if d.now[key] == nil {
		d.put(key, &entry{name: elem, dir: newDir(d, key)})
	}
	return d.now[key].dir
}

func (d *dir) put(key string, e *entry) {
	d.now[key], d.disk[key] = e, e
}
