package format

// DirFS opens the directory dir as an FS. Every operation stays beneath it (os.Root), whatever links it holds.
func DirFS(dir string) (FS, error) { panic("todo") }

// Archive is a directory of segments with its identity.
type Archive struct{}

// Create makes a new archive in an empty or absent place and leaves it open and locked for writing. id.ArchiveID, Version and times
// are filled in. It fails with fs.ErrExist when there is an archive already, and refuses a place that holds anything else.
func Create(fsys FS, id Identity) (*Archive, error) { panic("todo") }

// Open opens an archive for reading. Nothing is ever written to it.
func Open(fsys FS) (*Archive, error) { panic("todo") }

// OpenForWriting takes the lock, removes leftovers, cuts a torn last line of SHA256SUMS, adds missing lines after a deep check.
func OpenForWriting(fsys FS) (*Archive, error) { panic("todo") }

// Close gives up the lock.
func (a *Archive) Close() error { panic("todo") }

// Identity is a copy of what karchive.json holds.
func (a *Archive) Identity() Identity { panic("todo") }

// SetIdentity replaces karchive.json, durable before it returns.
func (a *Archive) SetIdentity(id Identity) error { panic("todo") }

// TopicPartition names a partition of an archive.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Partitions lists the partitions that have segments, by topic and number.
func (a *Archive) Partitions() []TopicPartition { panic("todo") }

// Segment is a sealed segment file.
type Segment struct {
	Topic     string
	Partition int32
	Base      int64  // first covered offset, from the file's name
	Path      string // relative to the archive's root
	Size      int64  // bytes on disk
	SHA256    string // as SHA256SUMS has it, empty when it has none
}

// Segments lists the segments of a partition in offset order.
func (a *Archive) Segments(tp TopicPartition) []Segment { panic("todo") }

// OpenSegment opens a segment for reading. Its document is checked against the segment's place: topic, partition, base.
func (a *Archive) OpenSegment(s Segment) (*SegmentReader, error) { panic("todo") }

// SegmentReader is a Reader with the file beneath it.
type SegmentReader struct {
	*Reader
}

// Close closes the file.
func (s *SegmentReader) Close() error { panic("todo") }

// Document reads the document of a segment (cached).
func (a *Archive) Document(s Segment) (*Document, error) { panic("todo") }

// ResumePoint is where a partition goes on.
type ResumePoint struct {
	Next        int64 // first offset that no segment covers
	LeaderEpoch int32 // of the last record or marker, -1 unknown
	Source      Source
}

// Resume says where partition tp goes on; ok is false when it has no segment yet.
func (a *Archive) Resume(tp TopicPartition) (p ResumePoint, ok bool, err error) { panic("todo") }

// Pending is a segment being written, invisible until Seal.
type Pending struct {
	*Writer
}

// NewSegment starts a segment at o.Base, which must be where its partition goes on. Its file is made at the first row group. Pending
// segments of different partitions may be written and sealed at the same time, each by one goroutine.
func (a *Archive) NewSegment(o WriterOptions) (*Pending, error) { panic("todo") }

// Seal finishes the segment at next and makes it durable and visible, in this order: close the encoding, sync the file, link it to its final name (which
// never replaces), remove the temporary name, sync every directory made or changed, append to SHA256SUMS and sync that.
func (p *Pending) Seal(next int64) (Segment, *Document, error) { panic("todo") }

// Discard drops the segment and its temporary file.
func (p *Pending) Discard() error { panic("todo") }

// Window selects records. The zero value selects all.
type Window struct {
	FromOffset  int64  // inclusive
	UntilOffset int64  // exclusive; 0: no bound
	FromMs      *int64 // inclusive, compared with TimestampMs; nil: no bound
	UntilMs     *int64 // exclusive; nil: no bound
}

// Cursor walks one partition's records in offset order, a row group at a time, and opens only the segments and row groups that overlap its window.
type Cursor struct{}

// Cursor returns a cursor over tp.
func (a *Archive) Cursor(tp TopicPartition, w Window) *Cursor { panic("todo") }

// Next returns the records in the window of the next row group that has any; io.EOF after the last. The caller owns them.
func (c *Cursor) Next() ([]Record, error) { panic("todo") }

// Close closes the file that is open.
func (c *Cursor) Close() error { panic("todo") }

// BytesRead counts the bytes read from segment files through this Archive.
func (a *Archive) BytesRead() int64 { panic("todo") }
