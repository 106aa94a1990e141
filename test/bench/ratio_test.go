//go:build unix

package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// recorded is what `make bench-check` measured once.
func recorded(t *testing.T) *table {
	t.Helper()
	data, err := os.ReadFile("testdata/check.json")
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return &r.Rows
}

// scale multiplies the times of every run with what factor gives for it.
func (t *table) scale(factor func() float64) {
	for _, r := range *t {
		for i := range r.Runs {
			f := factor()
			r.Runs[i].Wall *= f
			r.Runs[i].CPU *= f
		}
	}
}

// more lets what take also the CPU time that floor takes, so many times.
func (t *table) more(what, floor string, times float64) {
	extra := times * cpu(t.row(floor))
	for i := range t.row(what).Runs {
		t.row(what).Runs[i].CPU += extra
	}
}

func TestARatioIsOfTheLeastRunsAndOfAllFloors(t *testing.T) {
	for name, c := range map[string]struct {
		rows table
		want []ratio
	}{
		"two floors": {
			table{
				{"capture J1K-4-none", []usage{{CPU: 12, Wall: 9}, {CPU: 10, Wall: 4}, {CPU: 11, Wall: 5}}},
				{"consume J1K-4-none", []usage{{CPU: 9, Wall: 1}, {CPU: 3, Wall: 2}}},
				{"zstd -1 J1K", []usage{{CPU: 5, Goroutines: 2}, {CPU: 7, Goroutines: 2}}},
			},
			[]ratio{
				{Name: "capture CPU / floors, J1K", Floor: "consume J1K-4-none + zstd -1 J1K on 2", Value: 1.25, Target: 1.12, Limit: 1.23},
				{Name: "capture rate / consume rate, J1K", Floor: "consume J1K-4-none", Value: 0.25, Target: 0.3, AtLeast: true},
			},
		},
		"a floor that was not measured": {table{{"replay J1K-4-none", []usage{{CPU: 1}}}, {"zstd decode J1K", []usage{{CPU: 1}}}}, nil},
		"the most memory of karchive's own processes": {
			table{{"verify J1K-4-none", []usage{{RSS: 100 << 20, Karchive: true}, {RSS: 300 << 20, Karchive: true}}}, {"zstd -1 J1K", []usage{{RSS: 900 << 20}}}},
			[]ratio{{Name: peakName, Value: 300, Target: 256, Limit: 256}},
		},
		"the size of files": {
			table{{"capture J100-4-none", []usage{{Out: 70}}}, {"zstd -3 J100", []usage{{Out: 100}}}},
			[]ratio{{Name: "size on disk / zstd -3 in row order, J100", Floor: "zstd -3 J100", Value: 0.7, Target: 0.75}},
		},
		"a store on the same cores": {
			table{{"capture into a bucket J1K-4-none", []usage{{Wall: 9, CPU: 3, Store: 5}, {Wall: 7, CPU: 4, Store: 2}}}, {"capture J1K-4-none", []usage{{Wall: 3, CPU: 2}}}},
			[]ratio{
				{Name: "capture rate, bucket / directory, J1K", Floor: "capture J1K-4-none", Value: 0.75, Target: 0.9, AtLeast: true},
				{Name: "capture CPU, bucket / directory, J1K", Floor: "capture J1K-4-none", Value: 1.5, Target: 1.1},
			},
		},
		"nothing": {},
	} {
		if got := c.rows.ratios(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestEveryGuardedRatioIsRecorded(t *testing.T) {
	got := recorded(t).ratios()
	for _, c := range comparisons {
		if c.limit > 0 && !slices.ContainsFunc(got, func(r ratio) bool { return r.Name == c.name }) {
			t.Errorf("no %s in testdata/check.json", c.name)
		}
	}
	if over := recorded(t).over(); len(over) > 0 {
		t.Errorf("over its limit: %v, want none", over)
	}
}

func TestASlowerOrFasterMachineChangesNoGuardedRatio(t *testing.T) {
	want := recorded(t).ratios()
	for _, factor := range []float64{1. / 3, 3, 20} {
		rows := recorded(t)
		rows.scale(func() float64 { return factor })
		for i, got := range rows.ratios() {
			if math.Abs(got.Value-want[i].Value) > 1e-9 {
				t.Errorf("%g times as slow: %v, want %v", factor, got, want[i])
			}
		}
	}
}

// disturbance is how much longer a run takes when another has its core's other half or its caches, in half of the runs.
func disturbance(random *rand.Rand) func() float64 {
	return func() float64 {
		if random.IntN(2) == 0 {
			return 1
		}
		return 1 + 0.7*random.Float64()
	}
}

func TestTheGuardAllowsForOtherWorkOnTheMachine(t *testing.T) {
	failed := 0
	const runs = 2000
	for seed := range uint64(runs) {
		first, second := recorded(t), recorded(t)
		disturbed := disturbance(rand.New(rand.NewPCG(seed, 1)))
		first.scale(disturbed)
		if len(first.over()) == 0 {
			continue
		}
		second.scale(disturbed)
		for i, r := range *first { // the second chance
			r.Runs = append(r.Runs, (*second)[i].Runs...)
		}
		if len(first.over()) > 0 {
			failed++
		}
	}
	if failed > runs/100 {
		t.Errorf("%d of %d disturbed runs failed, want at most one of a hundred", failed, runs)
	}
}

func TestTheGuardFindsARealRegressionOnAnyMachine(t *testing.T) {
	machines := map[string]func(*table){
		"as recorded":          func(*table) {},
		"three times as slow":  func(rows *table) { rows.scale(func() float64 { return 3 }) },
		"three times as fast":  func(rows *table) { rows.scale(func() float64 { return 1. / 3 }) },
		"disturbed all along":  func(rows *table) { rows.scale(func() float64 { return 1.6 }) },
		"disturbed here, then": func(rows *table) { rows.scale(disturbance(rand.New(rand.NewPCG(3, 5)))) },
	}
	for name, c := range map[string]struct {
		regress func(*table)
		want    string // start of the ratio that is over
	}{
		"a capture of documents compresses twice": {func(rows *table) { rows.more("capture J1K-4-none", "zstd -1 J1K", 0.7) }, "capture CPU / floors, J1K"},
		"a capture of events compresses twice":    {func(rows *table) { rows.more("capture J100-4-none", "zstd -1 J100", 0.75) }, "capture CPU / floors, J100"},
		"verify decodes twice":                    {func(rows *table) { rows.more("verify --deep J1K-4-none", "verify --deep J1K-4-none", 0.8) }, "verify --deep"},
		"a replay decodes three times":            {func(rows *table) { rows.more("replay J1K-4-none", "zstd decode J1K", 2) }, "replay CPU / floors, J1K"},
		"serve decodes five times":                {func(rows *table) { rows.more("consume served J1K-4-none", "zstd decode J1K", 4) }, "serve CPU / floors, J1K"},
		"memory": {func(rows *table) {
			rows.row("replay J100-4-none").Runs[1].RSS = 257 << 20
		}, peakName},
	} {
		for machine, make := range machines {
			rows := recorded(t)
			c.regress(rows)
			make(rows)
			if over := rows.over(); !slices.ContainsFunc(over, func(r ratio) bool { return strings.HasPrefix(r.Name, c.want) }) {
				t.Errorf("%s, %s: over its limit: %v, want %s", name, machine, over, c.want)
			}
		}
	}
}

// The figures that were told of another processor, where 64 % of a capture's 10.9 s were compression, of which a quarter is no longer needed: what the
// guard holds must hold there.
func TestTheGuardHoldsOnAnotherProcessor(t *testing.T) {
	rows := &table{
		{"capture J1K-4-none", []usage{{CPU: 10.9 * (1 - 0.64/4), Wall: 5.8}}}, {"consume J1K-4-none", []usage{{CPU: 1.4, Wall: 1}}}, {"zstd -1 J1K", []usage{{CPU: 7}}},
	}
	if got := rows.ratios(); len(got) != 2 || math.Abs(got[0].Value-1.09) > 0.01 || got[0].over() {
		t.Errorf("got %v, want 1.09 and not over its limit", got)
	}
}
