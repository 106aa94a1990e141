package capture

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// decompressor decompresses record batches into memory that is used again. It is shared by all lanes and safe for concurrent use.
type decompressor struct {
	codec   kgo.Decompressor
	buffers *bufferPool
}

func newDecompressor() *decompressor {
	pool := &bufferPool{}
	return &decompressor{codec: kgo.DefaultDecompressor(pool), buffers: pool}
}

// open returns what payload holds; the caller calls release when it no longer needs it.
func (d *decompressor) open(payload []byte, codec uint16) (b []byte, release func(), err error) {
	if codec == 0 {
		return payload, func() {}, nil
	}
	b, err = d.codec.Decompress(payload, kgo.CompressionCodecType(codec))
	return b, func() { d.buffers.PutDecompressBytes(b) }, err
}

// maxPooledBuffer keeps the memory of an odd huge batch from staying in the pool.
const maxPooledBuffer = 4 << 20

// bufferPool is a kgo.PoolDecompressBytes.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

func (p *bufferPool) PutDecompressBytes(b []byte) {
	if cap(b) > 0 && cap(b) <= maxPooledBuffer {
		p.pool.Put(&b)
	}
}
