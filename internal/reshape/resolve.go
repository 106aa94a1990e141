package reshape

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Sources is where rules get what they only name.
type Sources struct {
	ReadFile func(name string) ([]byte, error)
	Getenv   func(name string) (string, bool)
}

// minKeyBytes keeps a mask key from being guessed: e-mail addresses and card numbers are few enough to try them all with it.
const minKeyBytes = 16

// Resolve reads the mask key, if one is named, and the tables. A line break at the end of a key is not part of it.
func (r *Rules) Resolve(s Sources) error {
	if err := r.resolveKey(s); err != nil {
		return fmt.Errorf("mask key: %w", err)
	}
	for i := range r.Tables {
		if err := r.Tables[i].resolve(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rules) resolveKey(s Sources) error {
	if r.MaskKey == "" {
		return nil
	}
	var secret []byte
	if name, ok := strings.CutPrefix(r.MaskKey, "env:"); ok {
		text, set := s.Getenv(name)
		if !set {
			return errors.New("the environment has no variable of that name")
		}
		secret = []byte(text)
	} else if name, ok := strings.CutPrefix(r.MaskKey, "@"); ok {
		var err error
		if secret, err = s.ReadFile(name); err != nil {
			return unread(err)
		}
	} else {
		return errors.New("name it, as @FILE or env:NAME: on a command line and in a file of rules it would not stay secret")
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) < minKeyBytes {
		return fmt.Errorf("%d bytes are too few: use %d or more, such as those of openssl rand -hex 32", len(secret), minKeyBytes)
	}
	r.secret = secret
	return nil
}

// unread is why a file cannot be read, without its name: that may be the key itself, in the wrong place.
func unread(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return errors.New("the file cannot be read")
}

func (t *Table) resolve(s Sources) error {
	data, err := s.ReadFile(t.File)
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord = 2
	rows.ReuseRecord = true
	t.entries = map[string]string{}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.File, err)
		}
		if _, twice := t.entries[row[0]]; twice {
			line, _ := rows.FieldPos(0)
			return fmt.Errorf("table %s: line %d: what it begins with is there twice", t.File, line)
		}
		t.entries[row[0]] = row[1]
	}
}
