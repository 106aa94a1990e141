package storage

// Writable is a place in which archives can be written: an [FS], in which one writes at a time, or a [Store], in which several do. There is
// no third kind, and what is both is taken for a Store.
type Writable interface {
	ReadFS
	// Remove is that of an FS, or of a Store.
	Remove(name string) error
}
