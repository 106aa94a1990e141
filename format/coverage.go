package format

// Coverage is what an archive has of one partition: the offsets [From, Next), all of them answered for.
type Coverage struct {
	From           int64 // first covered offset
	Next           int64 // first offset after the covered ones
	Segments       int
	RowGroups      int
	Records        int64
	Bytes          int64 // canonical bytes of the records
	DiskBytes      int64 // size of the segment files
	MinTimestampMs int64 // of the records; NoTimestamp when there are none
	MaxTimestampMs int64
	Ledger         Ledger
	Source         Source // of every segment of the partition
}

// Ledger counts the covered offsets without a record, by reason. Records and the five counts add up to Next - From.
type Ledger struct {
	Control   int64
	Filtered  int64
	Absent    int64
	Retention int64
	Corrupt   int64
	Ranges    []Gap // the retention and corrupt gaps in offset order, adjoining ones of one reason merged
}

// Lost is the number of offsets whose records are lost: retention and corrupt.
func (l *Ledger) Lost() int64 { return l.Retention + l.Corrupt }

// Coverage adds up the documents of partition tp's segments and checks that they adjoin. A partition without a segment gives
// fs.ErrNotExist.
func (a *Archive) Coverage(tp TopicPartition) (Coverage, error) { panic("todo") }
