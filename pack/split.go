package pack

import "fmt"

// What parts take besides their segments, at most. Signatures and age's header are counted before they are there.
const (
	maxSignature    = 8 << 10
	ageHeader       = 4 << 10
	ageRecipient    = 4 << 10
	ageChunk        = 64 << 10
	ageTag          = 16
	endBytes        = 22 + 56 + 20
	centralBytes    = 46 + 28
	localExtraBytes = 20
)

// split assigns segments to parts, in their order. How much room the manifest takes depends on the number of parts, so it is done again
// until the number stays.
func (p *Packing) split(packed []File, o Options) error {
	m := p.Manifest
	m.Parts = []Part{{Files: nonNil(packed)}}
	if o.Split == 0 {
		return nil
	}
	for {
		before := len(m.Parts)
		room, err := p.room(o)
		if err != nil {
			return err
		}
		if m.Parts, err = fill(packed, room, o.Split); err != nil {
			return err
		}
		if len(m.Parts) <= before {
			return nil
		}
	}
}

// room is how many bytes of a part are left for segments and their headers.
func (p *Packing) room(o Options) (int64, error) {
	text, err := p.Manifest.encode()
	if err != nil {
		return 0, err
	}
	room := o.Split - entryBytes(File{ManifestName, int64(len(text)), ""}) - endBytes
	for _, s := range o.Signers {
		room -= entryBytes(File{ManifestName + s.Suffix(), maxSignature, ""})
	}
	for _, f := range p.Manifest.Root {
		room -= entryBytes(f)
	}
	if n := int64(len(o.Recipients)); n > 0 {
		room -= ageHeader + n*ageRecipient + (o.Split/ageChunk+1)*ageTag
	}
	if room <= 0 {
		return 0, fmt.Errorf("parts of %d bytes: %d bytes are needed for what every part has", o.Split, o.Split-room)
	}
	return room, nil
}

func entryBytes(f File) int64 {
	return localBytes + localExtraBytes + centralBytes + 2*int64(len(f.Path)) + f.Size
}

func fill(packed []File, room, limit int64) (parts []Part, err error) {
	var left int64
	for _, f := range packed {
		n := entryBytes(f)
		if n > room {
			return nil, &SegmentTooLargeError{f.Path, limit - room + n, limit}
		}
		if len(parts) == 0 || n > left {
			parts, left = append(parts, Part{}), room
		}
		last := &parts[len(parts)-1]
		last.Files = append(last.Files, f)
		left -= n
	}
	if parts == nil {
		parts = []Part{{Files: []File{}}}
	}
	return parts, nil
}

func nonNil(files []File) []File {
	if files == nil {
		return []File{}
	}
	return files
}
