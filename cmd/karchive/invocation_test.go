package main

import (
	"strings"
	"testing"
)

// invocationOf is how a report spells a command line.
func invocationOf(t *testing.T, args ...string) string {
	t.Helper()
	e := newEnv(nil, nil, &strings.Builder{})
	line, err := arrange(e.commands(), args)
	if err != nil {
		t.Fatal(err)
	}
	e.invokedAs = line
	return strings.Join(e.invoked(nil).Command, " ")
}

func TestAReportShowsTheCommandLineAndNoSecret(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--speed", "2", "replay", "run1", "-t", "orders", "--loop=3"}, "karchive replay --speed 2 --topics orders --loop 3 run1"},
		{[]string{"replay", "run1", "--create-topics", "-q"}, "karchive replay --create-topics -q run1"},
		{[]string{"replay", "run1", "-b", "ann:CANARY@host:1", "--config=CANARY", "-Xsasl.password=CANARY", "-X", "CANARY.a=CANARY"}, "karchive replay --brokers … --config … -X sasl.password=… -X …=… run1"},
		{[]string{"replay", "run1", "--mask", "value.a=CANARY", "--filter", "value.a == 'CANARY'", "--set", "value.a=CANARY", "--mask-key", "env:CANARY", "--rules", "mask.yaml"},
			"karchive replay --mask … --filter … --set … --mask-key … --rules mask.yaml run1"},
		{[]string{"replay", "s3://CANARY@bucket/run1?key=CANARY", "--topic-config", "a=CANARY", "--metrics", "CANARY"}, "karchive replay --topic-config … --metrics … s3://…@bucket/run1?…"},
		{[]string{"capture", "-t", "a", "-o", "run1", "--", "--brokers=b"}, "karchive capture --topics a --output run1 -- --brokers=b"},
	} {
		if got := invocationOf(t, c.args...); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
