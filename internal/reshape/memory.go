package reshape

import "github.com/karchive/karchive/format"

// arena hands out memory for what is put into records, in blocks, so that a changed record costs no allocation of its own.
type arena struct {
	keep  bool
	block []byte
	list  []format.Header
}

const (
	blockBytes   = 64 << 10
	blockHeaders = 256
)

// reset begins a new record. Without keep the memory of the one before is used again.
func (a *arena) reset() {
	if !a.keep {
		a.block, a.list = a.block[:0], a.list[:0]
	}
}

// own copies b, of which the result is never nil.
func (a *arena) own(b []byte) []byte {
	if a.block == nil || len(b) > cap(a.block)-len(a.block) {
		if len(b) > blockBytes/4 && a.keep {
			return append(make([]byte, 0, len(b)), b...)
		}
		a.block = make([]byte, 0, max(blockBytes, len(b)))
	}
	from := len(a.block)
	a.block = append(a.block, b...)
	return a.block[from:len(a.block):len(a.block)]
}

func (a *arena) ownHeaders(list []format.Header) []format.Header {
	if len(list) > cap(a.list)-len(a.list) {
		a.list = make([]format.Header, 0, max(blockHeaders, len(list)))
	}
	from := len(a.list)
	a.list = append(a.list, list...)
	return a.list[from:len(a.list):len(a.list)]
}
