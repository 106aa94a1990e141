package format

import "github.com/karchive/karchive/internal/ondisk"

// encodeSlots are WriterOptions.Encoders. Without a place there are none.
type encodeSlots chan struct{}

// encodeJob is a row group on its way through an encoder; done is closed when result is there.
type encodeJob struct {
	done   chan struct{}
	result encodedGroup
}

// encodedGroup is a row group ready for a file.
type encodedGroup struct {
	info  RowGroup
	data  []byte // the bytes of the row group
	place any    // for the encoder that made it
	err   error
}

func encodeBatch(e encoder, b *batch) encodedGroup {
	g := encodedGroup{info: b.info}
	g.info.Digest = ondisk.Digest(b.arena)
	g.data, g.place, g.err = e.encode(b.arena, &b.info)
	return g
}

// start hands a batch to an encoder and gives the batch back to its pool. Without slots it encodes before it returns.
func (e encodeSlots) start(b *batch, with encoder) *encodeJob {
	job := &encodeJob{done: make(chan struct{})}
	run := func() {
		job.result = encodeBatch(with, b)
		b.free()
		close(job.done)
	}
	if cap(e) == 0 {
		run()
		return job
	}
	e <- struct{}{}
	go func() {
		defer func() { <-e }()
		run()
	}()
	return job
}
