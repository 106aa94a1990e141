package main

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/internal/bucketurl"
)

// findLocation is where readers of tables find the archive, if it was not said.
func (o *exportOptions) findLocation() (err error) {
	switch {
	case o.location != "":
		return o.checkLocation()
	case strings.HasPrefix(o.archive, "azblob://"):
		return &usageError{"an archive in Azure needs --location: engines know it by another URL", "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX"}
	case bucketurl.Is(o.archive):
		o.location, _, _ = strings.Cut(o.archive, "?")
	default:
		o.location, err = fileURL(o.archive)
	}
	return err
}

// checkLocation refuses one that is no URL, or would show a password to everybody who reads a table.
func (o *exportOptions) checkLocation() error {
	u, err := url.Parse(o.location)
	if err != nil || u.Scheme == "" || !strings.Contains(o.location, "://") {
		return usage("--location %s: not a URL", withoutQuery(o.location))
	}
	if _, password := u.User.Password(); password || strings.ContainsAny(o.location, "?#") {
		return &usageError{"--location " + withoutQuery(o.location) + ": files of tables have neither a password nor options in their URLs", "s3://BUCKET/PREFIX; readers have passwords and options of their own"}
	}
	return nil
}

// fileURL is the URL of a directory as Iceberg has them: a path that is not escaped. What some readers would unescape is refused.
func fileURL(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(path, "%#?") {
		return "", &usageError{path + ": readers of tables take %, # and ? in a path each in their own way", "rename the directory, or say with --location how readers reach it"}
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive
	}
	return "file://" + path, nil
}
