package replay

import (
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// time says when the plan begins and how long it takes.
func (p *Plan) time(s *settings, archive *format.Archive, saved *checkpoint.State) error {
	if s.startPassed && saved == nil {
		return s.Pacing.tooLate()
	}
	origin, err := originOf(s, archive)
	if err != nil {
		return err
	}
	if s.Shard.Divides() && s.Timestamps == ShiftTimestamps && origin != nil { // which the shards agree about
		shift := s.Pacing.StartAt.UnixMilli() - *origin
		p.shiftMs = &shift
	}
	if s.startPassed {
		s.Pacing.StartAt = time.Time{}
	}
	p.Duration = s.Schedule.Duration(p.Total.Records, p.Total.Bytes, p.Total.span.ms())
	if saved != nil && saved.ShiftMs != nil {
		p.shiftMs = saved.ShiftMs
	}
	if !s.Pacing.StartAt.IsZero() && p.Earlier == 0 { // a replay that goes on begins where it stopped
		p.originMs = origin
	}
	return nil
}

// originOf is the timestamp that is due at StartAt; nil: there is none.
func originOf(s *settings, archive *format.Archive) (*int64, error) {
	if from := s.window.From; !from.IsZero() {
		ms := from.UnixMilli()
		return &ms, nil
	}
	if s.Pacing.StartAt.IsZero() {
		return nil, nil
	}
	all, err := recorded(archive, s.Schedule.Pace.Timed())
	if !all.valid {
		return nil, err
	}
	return &all.first, err
}

func (p *Pacing) tooLate() error {
	return fmt.Errorf("start at %s: that has passed", p.StartAt.Format(time.RFC3339Nano))
}

// span is from the first to the last of the timestamps that count.
type span struct {
	valid       bool // there are some
	first, last int64
}

func (s *span) widen(timestampMs int64) {
	switch {
	case !moment.Counts(timestampMs):
	case !s.valid:
		*s = span{true, timestampMs, timestampMs}
	default:
		s.first, s.last = min(s.first, timestampMs), max(s.last, timestampMs)
	}
}

// ms is how long it is.
func (s *span) ms() int64 { return saturating.Distance(s.first, s.last) }

// add widens by the times of a row group. Where one of its bounds is no time, because of a record without a timestamp say, the document does not
// tell that of the others: then they are read, unless reader is nil. A row group that cannot be read is met again when it is played.
func (s *span) add(place *format.Place, reader *format.GroupReader) {
	least, greatest := place.Group().MinTimestampMs, place.Group().MaxTimestampMs
	s.widen(least)
	s.widen(greatest)
	if reader == nil || least == greatest || moment.Counts(least) && moment.Counts(greatest) {
		return
	}
	records, err := reader.Read(place, nil)
	if err != nil {
		return
	}
	for i := range records {
		s.widen(records[i].TimestampMs)
	}
}

// recorded is the span of an archive; exact: also where documents do not tell it.
func recorded(archive *format.Archive, exact bool) (all span, err error) {
	var reader *format.GroupReader
	if exact {
		reader = archive.NewGroupReader(1)
		defer reader.Close()
	}
	for place, err := range archive.Places(format.Selection{}) {
		if err != nil {
			return all, err
		}
		all.add(&place, reader)
	}
	return all, nil
}
