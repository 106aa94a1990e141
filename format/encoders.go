package format

// Encoders bounds how many row groups are encoded at once over all Writers that share it, and with that their memory: a Writer that
// needs a place waits for one. It is safe for concurrent use.
type Encoders struct{ slots chan struct{} }

// NewEncoders returns Encoders with n places, at least one.
func NewEncoders(n int) *Encoders { return &Encoders{make(chan struct{}, max(n, 1))} }

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
	g.info.Digest = Digest(b.arena)
	g.data, g.place, g.err = e.encode(b.arena, &b.info)
	return g
}

// start hands a batch to an encoder and gives the batch back to its pool. Without Encoders it encodes before it returns.
func (e *Encoders) start(b *batch, with encoder) *encodeJob {
	job := &encodeJob{done: make(chan struct{})}
	run := func() {
		job.result = encodeBatch(with, b)
		b.free()
		close(job.done)
	}
	if e == nil {
		run()
		return job
	}
	e.slots <- struct{}{}
	go func() {
		defer func() { <-e.slots }()
		run()
	}()
	return job
}

// limit is the number of finished or running row groups that a Writer may hold before it writes the oldest.
func (e *Encoders) limit() int {
	if e == nil {
		return 0
	}
	return cap(e.slots)
}
