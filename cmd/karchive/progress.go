package main

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/karchive/karchive/internal/printable"
)

// lineInterval is how often progress is said where it cannot be drawn: a log of a long run stays readable.
const lineInterval = 10 * time.Second

// progress shows how far a command is: a bar on a terminal, a line now and then elsewhere, nothing with --quiet. Set may be called
// from several goroutines, and cheaply often.
type progress struct {
	e    *env
	what string

	bars    *mpb.Progress // nil: not a terminal
	bar     *mpb.Bar
	bounded atomic.Bool // the total is known

	mu     sync.Mutex // guards what follows
	detail string
	said   time.Time
}

func newProgress(e *env, what string) *progress {
	p := &progress{e: e, what: what, said: e.now()}
	if e.quiet || !e.terminal || e.logs == jsonLog {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(e.stderr), mpb.WithWidth(40), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond))
	p.bar = p.bars.MustAdd(0, p.filler(),
		mpb.PrependDecorators(decor.Name(what+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.text() })),
		mpb.BarRemoveOnComplete())
	e.setAbove(p.bars)
	return p
}

// filler draws a bar where the total is known, else something that moves.
func (p *progress) filler() mpb.BarFiller {
	bar, spinner := mpb.BarStyle().Lbound("[").Rbound("]").Build(), mpb.SpinnerStyle().Build()
	return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		if p.bounded.Load() {
			return bar.Fill(w, s)
		}
		return spinner.Fill(w, s)
	})
}

func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.detail
}

// set says that done of total is done, total 0 meaning that there is no telling, and what is best said about it.
func (p *progress) set(done, total int64, detail string) {
	p.mu.Lock()
	p.detail = printable.Text(p.e.hidden.text(detail))
	now := p.e.now()
	say := p.bars == nil && now.Sub(p.said) >= lineInterval
	if say {
		p.said = now
	}
	p.mu.Unlock()
	p.bounded.Store(total > 0)
	if p.bar != nil {
		p.bar.SetTotal(max(total, done+1), false) // a full bar would end it
		p.bar.SetCurrent(done)
	}
	if say && !p.e.quiet {
		p.e.say(slog.LevelInfo, p.what+": "+detail, "done", done, "total", total)
	}
}

// done removes the bar.
func (p *progress) done() {
	if p.bars == nil {
		return
	}
	p.e.setAbove(nil)
	p.bar.Abort(true)
	p.bars.Wait()
	p.bars = nil
}
