package storage

// Store is where an archive can be written that is no file system: whole objects under names, a bucket say. It has no directories,
// locks and links: a name that must be free is all that keeps two writers apart. The first one to publish a name wins, and nothing ever
// takes the place of what it published. Package bucket has one.
//
// Implementations are safe for concurrent use.
type Store interface {
	ReadFS
	// Probe finds out whether the place keeps a name from being given twice, and fails when it does not. Archives call it before they write.
	Probe() error
	// List calls visit for every object beneath a directory, in the order of their names; its error ends it.
	List(dir string, visit func(name string, size int64) error) error
	// Spool makes an empty file outside the store, for what Publish is to take. It is gone when it is closed.
	Spool() (File, error)
	// Publish makes all of f the object of a name that must be free; sha256, in hex, is that of its bytes, and is kept with the object. When
	// it returns nil the object is there for good. It fails with fs.ErrExist when another object has the name; one of the same
	// bytes is no other.
	Publish(name string, f ReadFile, sha256 string) error
	// Put makes content the object of a name, in one step. With replace it takes the place of the one that is there; without it fails as Publish does.
	Put(name string, content []byte, replace bool) error
	// SHA256 is what Publish was given for an object; empty when nobody knows.
	SHA256(name string) (string, error)
	// Remove removes an object. One that is not there is no error.
	Remove(name string) error
}
