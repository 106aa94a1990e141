package format

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/durable"
	"github.com/karchive/karchive/internal/ondisk"
)

// Pending is a segment being written, invisible until Seal. Seal or Discard must be called, once. After an error of Write and its like only
// Discard is of use. It is for one goroutine; with Encoders it starts others for row groups, which Seal waits for.
type Pending struct {
	*writer
	archive *Archive
	tp      TopicPartition
	base    int64
	path    string
	temp    *tempFile
	done    bool
}

var errPendingDone = errors.New("segment is sealed or discarded")

// NewSegment starts a segment at o.Base, which must be where its partition goes on, or anywhere when the partition has no segment. An
// empty o.Encoding is the archive's, another one is refused, and so are records of another source than those that are there. The
// segment's file is made at the first row group. A partition has one Pending at a time; those of different partitions may be
// written and sealed at the same time, each by one goroutine.
func (a *Archive) NewSegment(o WriterOptions) (*Pending, error) {
	if a.writer == nil {
		return nil, errReadOnly
	}
	tp := TopicPartition{o.Topic, o.Partition}
	p, err := a.newSegment(tp, o)
	if err != nil {
		return nil, fmt.Errorf("new segment of %s at %d: %w", tp, o.Base, err)
	}
	return p, nil
}

func (a *Archive) newSegment(tp TopicPartition, o WriterOptions) (*Pending, error) {
	encoding := a.encoding()
	if o.Encoding == "" {
		o.Encoding = encoding
	}
	if o.Encoding != encoding {
		return nil, fmt.Errorf("encoding %q in an archive of %q", o.Encoding, encoding)
	}
	if err := a.checkContinues(tp, o); err != nil {
		return nil, err
	}
	temp := &tempFile{writer: a.writer, hash: sha256.New()}
	w, err := newWriter(temp, o)
	if err != nil {
		return nil, err
	}
	if err := a.writer.claimTopic(o.Topic); err != nil {
		return nil, err
	}
	if err := a.writer.claimPartition(tp); err != nil {
		return nil, err
	}
	return &Pending{writer: w, archive: a, tp: tp, base: o.Base, path: ondisk.SegmentPath(o.Topic, o.Partition, o.Base, string(o.Encoding)), temp: temp}, nil
}

// checkContinues refuses a segment that does not go on where its partition ends, with records of the same source.
func (a *Archive) checkContinues(tp TopicPartition, o WriterOptions) error {
	a.mu.RLock()
	cluster := a.identity.ClusterID
	a.mu.RUnlock()
	if cluster != "" && o.Source.ClusterID != "" && cluster != o.Source.ClusterID {
		return fmt.Errorf("records of cluster %s in an archive of cluster %s", o.Source.ClusterID, cluster)
	}
	at, ok, err := a.Resume(tp)
	if err != nil || !ok {
		return err
	}
	if o.Base != at.Next {
		return fmt.Errorf("the archive goes on at offset %d", at.Next)
	}
	if o.Source != at.Source {
		return fmt.Errorf("its source would be %s, that of the segments before it is %s", o.Source, at.Source)
	}
	return nil
}

func (w *archiveWriter) claimPartition(tp TopicPartition) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return w.stopped
	}
	if w.pending[tp] {
		return errors.New("another segment of the partition is being written")
	}
	w.pending[tp] = true
	return nil
}

// Discard drops the segment and its temporary file. After Seal, whatever came of it, it does nothing.
func (p *Pending) Discard() error {
	if p.done {
		return nil
	}
	return p.end()
}

// end gives back what the segment holds; of a sealed one nothing is left to give back but its claim.
func (p *Pending) end() error {
	p.done = true
	p.writer.abort()
	err := p.temp.discard()
	w := p.archive.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pending, p.tp)
	return err
}

// tempFile is the file of a Pending, in the temporary directory. It is made by the first Write: a capture of a thousand partitions
// must not make a thousand files before it has anything to put in them.
type tempFile struct {
	writer *archiveWriter
	name   string       // empty: there is no such file, not yet or not any more
	file   storage.File // nil: closed
	hash   hash.Hash
	size   int64
}

// Write appends to the file and hashes what is written.
func (t *tempFile) Write(b []byte) (int, error) {
	if err := t.make(); err != nil {
		return 0, err
	}
	n, err := t.file.Write(b)
	t.hash.Write(b[:n])
	t.size += int64(n)
	return n, err
}

func (t *tempFile) make() error {
	if t.file != nil {
		return nil
	}
	name, err := t.writer.tempFileName()
	if err != nil {
		return err
	}
	if s := t.writer.store; s != nil {
		t.file, err = s.Spool()
		return err
	}
	if t.file, err = t.writer.fsys.Create(name); err != nil {
		return durable.NoteGone(err)
	}
	t.name = name
	return nil
}

func (w *archiveWriter) tempFileName() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return "", w.stopped
	}
	w.temps++
	return fmt.Sprintf("%s/%s%d", ondisk.Temp, tempPrefix, w.temps), nil
}

// sync makes the bytes durable and closes the file.
func (t *tempFile) sync() error {
	if err := t.file.Sync(); err != nil {
		return err
	}
	err := t.file.Close()
	t.file = nil
	return err
}

func (t *tempFile) sha256() string { return hex.EncodeToString(t.hash.Sum(nil)) }

// discard closes and removes what there is.
func (t *tempFile) discard() error {
	var err error
	if t.file != nil {
		err = t.file.Close()
		t.file = nil
	}
	if t.name != "" {
		err = errors.Join(err, t.writer.fsys.Remove(t.name))
		t.name = ""
	}
	return err
}
