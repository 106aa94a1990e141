package reshape

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/karchive/karchive/internal/schema"
)

// Pipeline is compiled rules. It is safe for concurrent use.
type Pipeline struct {
	rules   Rules
	filter  *filter // nil: none
	sample  *sample // nil: none
	masks   []*rule
	stages  [][]*rule // of the map step
	maps    []*rule   // all of them
	detects bool
	schemas *schema.Set     // nil: payloads are JSON or nothing
	context context.Context // ends the evaluation of a filter

	mu      sync.Mutex // guards what follows
	workers []*Worker  // all that were ever made
	idle    []*Worker
	unseen  int64 // records that the filter left out without a worker
}

// Compile checks rules, which must be resolved, and makes them ready to run. The error names the rule; that of a filter is a
// *FilterError.
func Compile(r Rules) (*Pipeline, error) {
	p := &Pipeline{rules: r, context: context.Background()}
	var err error
	if p.filter, err = newFilter(r.Filter); err != nil {
		return nil, err
	}
	if p.sample, err = newSample(r.Sample); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	if p.masks, err = r.masks(); err != nil {
		return nil, err
	}
	if p.stages, p.maps, err = r.stages(len(p.masks)); err != nil {
		return nil, err
	}
	p.detects = len(p.masks) > 0 || r.RequireCoverage
	return p, nil
}

// Rules are what the pipeline was compiled from.
func (p *Pipeline) Rules() Rules { return p.rules }

// EndWith makes the evaluation of a filter, which can take long for one record, end with a context. It is called before the first worker
// is taken.
func (p *Pipeline) EndWith(ctx context.Context) { p.context = ctx }

// ReadWith makes payloads that are by a schema of a set documents, in which rules work as in JSON. One that rules changed is written by the
// same schema again. A nil pipeline has nothing to read. It is called before the first worker is taken.
func (p *Pipeline) ReadWith(schemas *schema.Set) {
	if p != nil {
		p.schemas = schemas
	}
}

// Schemas are those of ReadWith; nil: there are none.
func (p *Pipeline) Schemas() *schema.Set { return p.schemas }

// MovesTimestamps says that a mask changes the timestamps of records.
func (p *Pipeline) MovesTimestamps() bool {
	return slices.ContainsFunc(p.masks, func(r *rule) bool { return r.path.root == TimestampRoot })
}

// MasksKeys says that a mask changes keys, or something in them.
func (p *Pipeline) MasksKeys() bool {
	return slices.ContainsFunc(p.masks, func(r *rule) bool { return r.path.root == KeyRoot && r.kind != keepKind })
}

// Worker returns a worker whose records are used at once: what Apply puts into a record is overwritten by the next Apply.
func (p *Pipeline) Worker() *Worker { return p.worker(false) }

// KeepingWorker returns a worker whose records may be kept: what Apply puts into them is theirs.
func (p *Pipeline) KeepingWorker() *Worker { return p.worker(true) }

func (p *Pipeline) worker(keep bool) *Worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		w.setKeep(keep)
		return w
	}
	w := newWorker(p, keep)
	p.workers = append(p.workers, w)
	return w
}

// Trial returns a worker of which the report knows nothing, for a look ahead. It is not to be closed.
func (p *Pipeline) Trial() *Worker { return newWorker(p, false) }

// Close ends the use of the worker; the pipeline may hand it out again. What it counted stays in the report. Taking and closing one
// costs next to nothing and keeps what it has learned of the records' shapes.
func (w *Worker) Close() {
	w.pipeline.mu.Lock()
	defer w.pipeline.mu.Unlock()
	w.pipeline.idle = append(w.pipeline.idle, w)
}
