package format

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/karchive/karchive/internal/durable"
)

// Seal finishes the segment, which then covers [o.Base, next), and makes it durable and visible. When it returns without an error the
// segment survives whatever happens to the machine. After an error the segment is not to be counted on: it may be there, whole, and
// then the next OpenForWriting finds it. An error of a sync, or of anything after it, stops all writing to the archive.
// fs.ErrExist is wrapped when the name is taken, which nothing replaces.
func (p *Pending) Seal(next int64) (Segment, *Document, error) {
	if p.done {
		return Segment{}, nil, errPendingDone
	}
	// The footer makes it a whole file, and gives its SHA-256 with it.
	return p.sealed(func() (*Document, error) { return p.writer.finish(next) })
}

// sealed makes the file that finish completes, which the document describes, durable and visible.
func (p *Pending) sealed(finish func() (*Document, error)) (Segment, *Document, error) {
	s, d, err := p.seal(finish)
	if err != nil {
		p.end() // the first error is the one to tell
		return Segment{}, nil, fmt.Errorf("seal %s: %w", p.path, err)
	}
	p.archive.documents.put(s.Path, d)
	p.archive.addSegment(s)
	p.archive.noteSealed(s, d)
	return s, d, p.end()
}

func (p *Pending) seal(finish func() (*Document, error)) (Segment, *Document, error) {
	w := p.archive.writer
	if err := w.err(); err != nil {
		return Segment{}, nil, err
	}
	doc, err := finish()
	if err != nil {
		return Segment{}, nil, err
	}
	if w.store != nil {
		s, err := p.publish()
		return s, doc, err
	}
	// Its bytes are durable before a name in data/ leads to them: what can be seen there is whole.
	if err := p.temp.sync(); err != nil {
		return Segment{}, nil, w.fail(fmt.Errorf("sync: %w", err))
	}
	if err := w.dirs.Make(durable.Above(p.path)[1:]); err != nil {
		return Segment{}, nil, w.fail(durable.NoteGone(err))
	}
	// The final name appears in one step, and never takes the place of another file: of two writers the first one wins.
	if err := p.link(); err != nil {
		return Segment{}, nil, w.fail(durable.NoteGone(err))
	}
	// The file has its name, so the temporary one can go. If it stays, the next writer removes it.
	w.fsys.Remove(p.temp.name)
	p.temp.name = ""
	// The name, and those of the directories that lead to it, are durable before anything says that the segment is there.
	if err := w.dirs.Sync(p.path); err != nil {
		return Segment{}, nil, w.fail(durable.NoteGone(err))
	}
	// Last, because a listed segment that is absent counts as a loss, while one without a line only costs a check.
	sha := p.temp.sha256()
	if err := w.appendSum(sha, p.path); err != nil {
		return Segment{}, nil, err
	}
	return Segment{p.tp, p.base, p.path, p.temp.size, sha}, doc, nil
}

// link gives the temporary file its final name. Without hard links a rename does it: that would replace what is there, so the lock
// and a look before must be enough.
func (p *Pending) link() error {
	fsys := p.archive.writer.fsys
	err := fsys.Link(p.temp.name, p.path)
	if errors.Is(err, errors.ErrUnsupported) {
		switch _, statErr := fsys.Stat(p.path); {
		case statErr == nil:
			err = fs.ErrExist
		case errors.Is(statErr, fs.ErrNotExist):
			err = fsys.Rename(p.temp.name, p.path)
		default:
			err = statErr
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("segment exists: another writer sealed it: %w", err)
	}
	return err
}
