package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/reshape"
)

// need is what a flag is about. Where that is not there the flag would do nothing, and who gave it would believe that it does.
//
// Not here are permissions (--force, --allow-incomplete, --skip-corrupt), keys (--identity) and bounds of what is taken (--lanes, --memory,
// --max-row): scripts give them whatever the archive is. Nor is anything that only sending needs refused beside --dry-run, which is put behind a command
// line that is ready. What libraries know of is refused by their options.
type need struct {
	flag    string
	command string // empty: every one that has the flag
	met     func(c *cli.Context) bool
	about   string // what the flag is for
	hint    string
}

var needs = []need{
	{"spool", "", intoBucket, "what is uploaded to a bucket, and -o is none", "segments of an archive in a directory are collected there"},
	{"spool-size", "", func(c *cli.Context) bool { return intoBucket(c) && c.Bool("follow") }, "a follow capture into a bucket", ""},
	{"rotate-interval", "", with("follow"), "a follow capture", "--rotate-size and --rotate-records are for a snapshot, too"},
	{"require-hw", "", func(c *cli.Context) bool { return !c.Bool("follow") }, "a snapshot", ""},
	{"replication-factor", "", with("create-topics", "exactly-once"), "topics that are made", "give --create-topics"},
	{"topic-config", "", with("create-topics"), "topics that are made", "give --create-topics"},
	{"no-topic-configs", "", with("create-topics"), "topics that are made", "give --create-topics"},
	{"schema-ids", "", with("schema-registry"), "a registry", "give --schema-registry URL"},
	{"show-originals", "", with("dry-run"), "--dry-run", "karchive cat shows the records of an archive"},
	{"show-originals", "", with("rules", "filter", "sample", "mask", "require-coverage", "set", "rename", "remove", "key", "value"), "rules, and there are none",
		"karchive cat shows records as they are"},
	{"time-unit", "replay", with("timestamp-column"), "numbers in a column", "give --timestamp-column COLUMN"},
	{"partitioner", "import", with("partitions"), "several partitions, and a topic has one", "give --partitions N"},
	{"brokers", "diff", hasSide(topicPrefix), "a side that is topic:TOPIC, and neither is", "karchive diff A topic:TOPIC -b BROKERS"},
	{"config", "diff", hasSide(topicPrefix, topicURL), "a side that is a topic, and neither is", ""},
	{"X", "diff", hasSide(topicPrefix, topicURL), "a side that is a topic, and neither is", ""},
	{"connect-timeout", "diff", hasSide(topicPrefix, topicURL), "a side that is a topic, and neither is", ""},
	{"catalog-name", "", func(c *cli.Context) bool { return !strings.HasPrefix(c.String("catalog"), "http") }, "an SQL catalog", "a REST catalog has one name"},
}

// checkNeeds refuses flags that would do nothing.
func checkNeeds(c *cli.Context) error {
	for _, n := range needs {
		if (n.command == "" || n.command == c.Command.Name) && given(c, n.flag) && !n.met(c) {
			return &usageError{dashed(n.flag) + " is for " + n.about, n.hint}
		}
	}
	return nil
}

// given says whether a flag is, and not as --flag=false.
func given(c *cli.Context, flag string) bool {
	f := findFlag(c.Command, flag)
	return f != nil && c.IsSet(flag) && (takesValue(f) || c.Bool(flag))
}

// with is one of some flags.
func with(flags ...string) func(*cli.Context) bool {
	return func(c *cli.Context) bool {
		return slices.ContainsFunc(flags, func(f string) bool { return given(c, f) })
	}
}

func intoBucket(c *cli.Context) bool { return bucketurl.Is(c.String("output")) }

// hasSide is an argument that begins with one of some prefixes.
func hasSide(prefixes ...string) func(*cli.Context) bool {
	return func(c *cli.Context) bool {
		return slices.ContainsFunc(c.Args().Slice(), func(arg string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(arg, p) })
		})
	}
}

// checkSubjects refuses flags about rules that are not there. In a file of rules such settings may stand: flags give it what it is to be used with.
func (f *reshapeFlags) checkSubjects(all *reshape.Rules) error {
	flags, paths := &f.rules, len(all.Mask)+len(all.Tables)+len(all.Rename)+len(all.Remove) > 0
	for _, s := range []struct {
		flag        string
		given, does bool
		about, hint string
	}{
		{"--sample-by", len(flags.Sample.By) > 0 || flags.Sample.Random, f.sampled || !all.Sample.Rate.All(), "samples", "give --sample PART"},
		{"--strict", flags.Strict, len(all.Filter) > 0, "filters", "give --filter EXPR"},
		{"--unmaskable", flags.Unmaskable != "", all.Changes(), "rules that change records", "give --mask PATH=ACTION, or another"},
		{"--require-match", flags.RequireMatch, paths, "rules about what is there", "give --mask PATH=ACTION, --rename or --remove"},
		{"--mask-key", flags.MaskKey != "", f.sampled || len(all.Mask) > 0 || !all.Sample.Rate.All(), "masks and samples", "give --mask PATH=hash, or --sample PART"},
	} {
		if s.given && !s.does {
			return &usageError{s.flag + " is for " + s.about + ", and there are none", s.hint}
		}
	}
	return nil
}
