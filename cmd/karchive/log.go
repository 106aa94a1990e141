package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/printable"
)

// jsonLog is the word for a log that programs read.
const jsonLog = "json"

func logFlag(e *env) cli.Flag {
	return choiceFlag("log-format", "how to print remarks, progress, warnings and errors on stderr: `text`, or json, an object a line", &e.logs, "text", jsonLog)
}

// asksForJSONLog says whether a command line asks for JSON on stderr. What is wrong with it had better be said like that, too.
func asksForJSONLog(args []string) bool {
	for i, a := range args {
		if a == "--log-format="+jsonLog || a == "--log-format" && i+1 < len(args) && args[i+1] == jsonLog {
			return true
		}
	}
	return false
}

// log writes a line of JSON. Like every other line it has nothing in it that is hidden or moves a cursor.
func (e *env) log(level slog.Level, text string, pairs ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	record := slog.NewRecord(e.now().UTC(), level, e.hidden.text(text), 0)
	record.Add(pairs...)
	slog.NewJSONHandler(e.hidden.writer(jsonLine{e.stderr}), nil).Handle(context.Background(), record)
}

// jsonLine writes JSON as printable spells it.
type jsonLine struct{ to io.Writer }

// Write implements io.Writer.
func (w jsonLine) Write(p []byte) (int, error) {
	if _, err := w.to.Write(printable.AppendJSON(nil, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
