package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/reportpage"
)

// reportFile is a file for the report of a replay.
type reportFile struct {
	file  *os.File
	write func(w io.Writer, r *replayed) error
}

// reportFormats are how a report is written, by the extension of its file.
var reportFormats = map[string]func(io.Writer, *replayed) error{
	".json": func(w io.Writer, r *replayed) error { return printJSON(w, r) },
	".html": func(w io.Writer, r *replayed) error { return reportpage.Write(w, r.page()) },
}

func checkReportName(name string) error {
	if reportFormats[strings.ToLower(filepath.Ext(name))] == nil {
		return &usageError{"--report " + withoutQuery(name) + ": not a kind of report", "give a file that ends in .json or .html"}
	}
	return nil
}

// openReports makes the files: that they cannot be written had better be known before a replay of hours.
func openReports(names []string) (files []reportFile, err error) {
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, aside.Private)
		if err != nil {
			return files, fmt.Errorf("report: %w", err)
		}
		files = append(files, reportFile{f, reportFormats[strings.ToLower(filepath.Ext(name))]})
	}
	return files, nil
}

// writeReports writes a report, or, of a replay that sent nothing, removes the files.
func writeReports(files []reportFile, r *replayed, hidden *hider) error {
	var errs []error
	for _, f := range files {
		if len(r.Topics) == 0 {
			errs = append(errs, f.file.Close(), os.Remove(f.file.Name()))
			continue
		}
		errs = append(errs, f.write(hidden.writer(f.file), r), f.file.Close())
	}
	return errors.Join(errs...)
}
