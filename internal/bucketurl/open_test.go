package bucketurl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/bucketurl"
)

func TestURLsThatNameNoBucketAreRefused(t *testing.T) {
	for url, want := range map[string]string{
		"s3://":                          "names no bucket",
		"s3:///run1":                     "names no bucket",
		"s3://key:secret@bkt/run1":       "no credentials",
		"s3://bkt/a/../b":                "made of dots",
		"s3://bkt/a//b":                  "empty",
		"s3://bkt/run1#x":                "# has no meaning",
		"s3://bkt/run1?prefix=other":     "prefix is not taken",
		"s3://bkt/%zz":                   "not a URL",
		"gs://bkt/run1?access_id=secret": "",
		"file:///run1":                   "not the URL of a bucket",
		"https://key:secret@bkt/run1":    "not the URL of a bucket",
		"s3:/bkt/run1":                   "begin with s3://",
		"s3:/key:secret@bkt/run1":        "not the URL of a bucket",
		"S3://key:secret@bkt/run1":       "not the URL of a bucket",
	} {
		_, err := bucketurl.Open(t.Context(), url)
		var refused *bucketurl.URLError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want a URLError about %q", url, err, want)
		}
	}
}

func TestNamesThatAreMeantAsURLsAreNoDirectories(t *testing.T) {
	for name, want := range map[string]bool{
		"s3://bkt/run1": true, "gs://bkt": true, "azblob://bkt/run1": true,
		"S3://bkt/run1": true, "gcs://bkt/run1": true, "http://bkt/run1": true, "s3:/bkt/run1": true, "Gs:/bkt": true,
		"run1": false, "s3": false, "s3:run1": false, "./s3://bkt": false, "/a/http://b": false, `C:\run1`: false, "C:/run1": false, "c://run1": false, "": false,
	} {
		if got := bucketurl.Is(name); got != want {
			t.Errorf("%q is meant as a URL: got %v, want %v", name, got, want)
		}
	}
}

func TestABucketWithoutCredentialsIsNamed(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AZURE_STORAGE_ACCOUNT"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("HOME", t.TempDir())
	for url, want := range map[string]string{"s3://bkt/run1": "no credentials", "azblob://bkt/run1": "AccountName"} {
		_, err := bucketurl.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), url) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
}

func TestTheOptionsOfAURLAreNoPartOfItsName(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	p, err := bucketurl.Open(t.Context(), "s3://bkt/some/run1/?region=eu-west-1&endpoint=http://127.0.0.1:1&s3ForcePathStyle=true")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Bucket.Close()
	if p.Prefix != "some/run1" || p.Name != "s3://bkt/some/run1/" {
		t.Errorf("got prefix %q, name %q", p.Prefix, p.Name)
	}
}
