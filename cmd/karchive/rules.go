package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
)

// rulesTest is what karchive rules does.
const rulesTest = "test"

type rulesOptions struct {
	reshapeFlags
	samples string
	update  bool
	format  string
}

func rulesCommand(e *env) *cli.Command {
	var o rulesOptions
	return &cli.Command{
		Name:      "rules",
		Usage:     "try rules on sample records, and compare what they make of them with what is expected",
		ArgsUsage: rulesTest + " RULES SAMPLES [flags]",
		Description: `RULES is a file as --rules takes it. SAMPLES has a record a line as karchive cat prints it, - is stdin. Each may have one member more,
"expect": the record after the rules in the same shape, "withheld", or "dropped" for one that the filter or the sample leaves out.
A record that is not byte for byte as expected is shown field by field, - expected and + got, and makes exit code 1. Records without an
expectation are shown as the rules leave them. --update writes what the rules make of each record into SAMPLES, for you to read before you
keep it. Exit code 3: a rule never matched a sample, so that it is misspelled or not tested.

Examples:
  karchive rules test mask.yaml samples.jsonl
  karchive cat run1 -t orders --limit 20 | karchive rules test mask.yaml -
  karchive rules test mask.yaml samples.jsonl --update
  karchive rules test mask.yaml samples.jsonl --mask-key @test.key --format json | jq 'select(.agrees == false)'`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "update", Usage: "write what the rules make of each record into SAMPLES as its expectation", Destination: &o.update},
			&cli.StringFlag{Name: "mask-key", Usage: "the secret for hash and hash-format, and for samples, as `@FILE` or env:NAME", Destination: &o.rules.MaskKey},
			formatFlag(&o.format), quietFlag(e), o.schemaFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := o.arguments(c.Args().Slice()); err != nil {
				return err
			}
			return runRules(c.Context, e, o)
		},
	}
}

func (o *rulesOptions) arguments(args []string) error {
	const hint = "karchive help rules shows examples"
	switch {
	case len(args) == 0:
		return &usageError{"karchive rules needs " + rulesTest + ", a file of rules and a file of samples", hint}
	case args[0] != rulesTest:
		return &usageError{fmt.Sprintf("rules %s: not %s", shown(args[0], []string{rulesTest}), rulesTest), hint}
	case len(args) < 3:
		return &usageError{"karchive rules " + rulesTest + " needs a file of rules and a file of samples", hint}
	case len(args) > 3:
		return unexpected("rules "+rulesTest, "another argument")
	}
	o.file, o.samples = args[1], args[2]
	if o.update && o.samples == "-" {
		return usage("--update needs a file of samples, not stdin")
	}
	return nil
}

func runRules(ctx context.Context, e *env, o rulesOptions) error {
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	if rules == nil {
		return &usageError{o.file + ": no rules in it", "karchive help reshape shows some"}
	}
	if err := o.load(ctx, e, rules, nil); err != nil {
		return err
	}
	samples, err := readSamples(e, o.samples)
	if err != nil {
		return err
	}
	results, err := trySamples(ctx, rules, samples)
	if err != nil {
		return fmt.Errorf("%s: %w", o.samples, err)
	}
	out := newRulesOutput(o.samples, results, rules)
	if err := out.print(e, o.format); err != nil {
		return err
	}
	if o.update {
		if err := updateSamples(o.samples, results); err != nil {
			return fmt.Errorf("write expectations: %w", err)
		}
		e.notef("wrote what the rules make of each record to %s: read it before you keep it", o.samples)
	}
	out.warn(e)
	return out.outcome(o.update)
}

// trySamples applies rules to samples in their order.
func trySamples(ctx context.Context, rules *reshape.Pipeline, samples []ruleSample) ([]ruleResult, error) {
	w := rules.KeepingWorker()
	defer w.Close()
	var results []ruleResult
	for _, s := range samples {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		one := reshape.Record{Record: s.record, Topic: s.at.Topic, Partition: s.at.Partition}
		verdict, err := w.Apply(&one)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", s.line, placeOf(s.at, s.record.Offset), strictError(err))
		}
		results = append(results, newRuleResult(s, verdict, w.Why(), &one.Record))
	}
	return results, nil
}

// outcome is nil when every record is as expected and every rule was tested.
func (o *rulesOutput) outcome(updated bool) error {
	var err error
	if o.Differ > 0 && !updated {
		err = errReported
	} else if len(o.Reshaped.NeverMatched()) > 0 || len(o.Reshaped.NeverNamed()) > 0 || o.Reshaped.NeverDecided() {
		err = errIncomplete
	}
	return err
}

// errNoSamples keeps an empty file from passing for a test.
var errNoSamples = errors.New("no records in it")

func placeOf(at format.TopicPartition, offset int64) string {
	return fmt.Sprintf("%s-%d offset %d", at.Topic, at.Partition, offset)
}
