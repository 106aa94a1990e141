package timeline

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/internal/units"
)

const (
	us   = time.Microsecond
	ms   = time.Millisecond
	sec  = time.Second
	day  = 24 * time.Hour
	year = 365 * day
	ever = time.Duration(math.MaxInt64)
)

// pace reads --speed, --rate or --bandwidth.
func pace(t testing.TB, s string) Pace {
	t.Helper()
	for _, parse := range []func(string) (Pace, error){ParseSpeed, ParseRate, ParseBandwidth} {
		if p, err := parse(s); err == nil {
			return p
		}
	}
	t.Fatalf("%q is no pace", s)
	return Pace{}
}

func TestRecordsAreDueWhenTheScheduleSays(t *testing.T) {
	type dues = []time.Duration
	for _, c := range []struct {
		name     string
		pace     string
		schedule Schedule
		records  []int64 // timestamps in milliseconds
		bytes    int64   // of each
		want     dues
	}{
		{name: "top speed", pace: "max", records: []int64{0, 5000, 9000}, want: dues{0, 0, 0}},
		{name: "original timing", pace: "1", records: []int64{1000, 1001, 1001, 3500}, want: dues{0, ms, ms, 2500 * ms}},
		{name: "ten times as fast", pace: "10", records: []int64{0, 1, 10, 3600_000}, want: dues{0, 100 * us, ms, 6 * time.Minute}},
		{name: "a tenth as fast", pace: "0.1", records: []int64{0, 1, 60_000}, want: dues{0, 10 * ms, 10 * time.Minute}},
		{name: "a third does not add up", pace: "3", records: []int64{0, 1, 2, 3, 3_000_000_000}, want: dues{0, 333_333, 666_666, ms, 1_000_000 * sec}},
		{name: "before 1970", pace: "1", records: []int64{-5000, -1000, 500}, want: dues{0, 4 * sec, 5500 * ms}},
		{name: "back in time is no wait", pace: "1", records: []int64{1000, 900, 1000, 1100}, want: dues{0, 0, 0, 100 * ms}},
		{name: "no time", pace: "1", records: []int64{Untimed, Untimed, 1000, Untimed, 1200, Untimed}, want: dues{0, 0, 0, 0, 200 * ms, 200 * ms}},
		{name: "a century", pace: "1", records: []int64{0, int64(100 * year / ms)}, want: dues{0, 100 * year}},
		{name: "a thousand centuries, quickly", pace: "1000", records: []int64{0, 100_000 * int64(year/ms)}, want: dues{0, 100 * year}},
		{name: "past all durations", pace: "0.000001", records: []int64{math.MinInt64 + 1, 0, math.MaxInt64}, want: dues{0, ever, ever}},

		{name: "steady rate", pace: "800/s", records: []int64{0, 0, 9000, 1}, want: dues{0, 1250 * us, 2500 * us, 3750 * us}},
		{name: "rate that does not divide", pace: "3/s", records: []int64{0, 0, 0, 0}, want: dues{0, 333_333_333, 666_666_666, sec}},
		{name: "rate per minute", pace: "3000/min", records: []int64{0, 0, 0}, want: dues{0, 20 * ms, 40 * ms}},
		{name: "rate below one", pace: "0.5/s", records: []int64{0, 0, 0}, want: dues{0, 2 * sec, 4 * sec}},
		{name: "bandwidth", pace: "20MB/s", records: []int64{0, 0, 0}, bytes: 1_000_000, want: dues{0, 50 * ms, 100 * ms}},
		{name: "bandwidth of records beyond all sizes", pace: "1B/h", records: []int64{0, 0, 0}, bytes: math.MaxInt64, want: dues{0, ever, ever}},

		{name: "silence that is squeezed", pace: "1", schedule: Schedule{MaxGap: 5 * sec}, records: []int64{0, 5000, 10_001, 100_000, 100_010}, want: dues{0, 5 * sec, 10 * sec, 15 * sec, 15010 * ms}},
		{name: "silence of the recording, not of the replay", pace: "10", schedule: Schedule{MaxGap: 5 * sec}, records: []int64{0, 60_000}, want: dues{0, 500 * ms}},
		{name: "silence of all time", pace: "1", schedule: Schedule{MaxGap: sec}, records: []int64{math.MinInt64 + 1, math.MaxInt64}, want: dues{0, sec}},

		// At the end of the ramp half of what is due in that time at full pace has been played.
		{name: "ramp", pace: "2/s", schedule: Schedule{Ramp: 4 * sec}, records: make([]int64, 7), want: dues{0, 2 * sec, 2828427124, 3464101615, 4 * sec, 4500 * ms, 5 * sec}},
		{name: "ramp of a speed", pace: "1", schedule: Schedule{Ramp: 8 * sec}, records: []int64{0, 1000, 4000, 5000}, want: dues{0, 4 * sec, 8 * sec, 9 * sec}},
		{name: "ramp of years", pace: "1", schedule: Schedule{Ramp: 200 * year}, records: []int64{0, int64(25 * year / ms), int64(150 * year / ms)}, want: dues{0, 100 * year, 250 * year}},
	} {
		c.schedule.Pace = pace(t, c.pace)
		line := New(c.schedule)
		var got dues
		for _, ms := range c.records {
			got = append(got, line.Next(ms, c.bytes))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: due %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRoundsFollowEachOther(t *testing.T) {
	for _, c := range []struct {
		name      string
		pace      string
		delay     time.Duration
		want      []time.Duration
		wantShift int64
	}{
		{"at once", "1", 0, []time.Duration{0, 100 * ms, 101 * ms, 201 * ms, 202 * ms, 302 * ms}, 101},
		{"with a delay", "1", 2 * sec, []time.Duration{0, 100 * ms, 2101 * ms, 2201 * ms, 4202 * ms, 4302 * ms}, 2101},
		{"with a delay of the replay, not of the recording", "0.5", 2 * sec, []time.Duration{0, 200 * ms, 2202 * ms, 2402 * ms, 4404 * ms, 4604 * ms}, 1101},
		{"at a rate", "10/s", 300 * ms, []time.Duration{0, 100 * ms, 500 * ms, 600 * ms, 1000 * ms, 1100 * ms}, 401},
	} {
		line := New(Schedule{Pace: pace(t, c.pace), Loop: 3, LoopDelay: c.delay})
		var got []time.Duration
		for round := range 3 {
			if round > 0 {
				if shift := line.NextRound(); shift != c.wantShift {
					t.Errorf("%s: timestamps move by %d ms, want %d", c.name, shift, c.wantShift)
				}
			}
			got = append(got, line.Next(5000, 1), line.Next(5100, 1))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: due %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheRecordingMayBeginBeforeItsFirstRecord(t *testing.T) {
	line := New(Schedule{Pace: pace(t, "1"), Loop: 2})
	line.Begin(1000)
	got := []time.Duration{line.Next(3000, 1), line.Next(3500, 1)}
	shift := line.NextRound()
	got = append(got, line.Next(3000, 1))
	if want := []time.Duration{2 * sec, 2500 * ms, 2501 * ms}; !slices.Equal(got, want) || shift != 501 {
		t.Errorf("due %v, timestamps move by %d ms, want %v and 501", got, shift, want)
	}
}

func TestSqueezedSilencesAreCounted(t *testing.T) {
	line := New(Schedule{Pace: pace(t, "1"), MaxGap: sec})
	for _, at := range []int64{0, 1000, 3000, 3500, 13_500} {
		line.Next(at, 1)
	}
	if want := (Squeezed{Gaps: 2, Duration: 10 * sec}); line.Squeezed() != want {
		t.Errorf("squeezed %+v, want %+v", line.Squeezed(), want)
	}
}

// What is due is one exact fraction of the whole distance, so it cannot drift, whatever the factor.
func TestDuesAreExactOverYears(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for _, text := range []string{"1", "0.1", "3", "7.77", "123456.654321", "0.000007", "800/s", "7/min", "49999.9/s"} {
		p := pace(t, text)
		for range 2000 {
			amount := random.Int64N(int64(290*year/ms) >> random.IntN(40))
			exact := new(big.Int).Mul(big.NewInt(amount), new(big.Int).SetUint64(p.per))
			exact.Quo(exact, new(big.Int).SetUint64(p.units))
			want := ever
			if exact.IsInt64() {
				want = time.Duration(exact.Int64())
			}
			if got := p.due(amount); got != want {
				t.Fatalf("%s: %d is due at %d, want %d", p, amount, got, want)
			}
		}
	}
}

func TestARampNeverGoesBackAndEndsAtFullPace(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		s := Schedule{Ramp: time.Duration(1 + random.Int64N(int64(year)>>random.IntN(50)))}
		before := time.Duration(-1)
		for i := range int64(400) {
			d := time.Duration(saturating.MulDiv(i, uint64(s.Ramp), 500))
			got := s.ramped(d)
			if got < before {
				t.Fatalf("ramp of %d: %d is due at %d, after %d", s.Ramp, d, got, before)
			}
			square := new(big.Int).Mul(big.NewInt(int64(got)), big.NewInt(int64(got)))
			if want := new(big.Int).Mul(big.NewInt(2*int64(d)), big.NewInt(int64(s.Ramp))); d < s.Ramp/2 && square.Cmp(want) > 0 {
				t.Fatalf("ramp of %d: %d is due at %d, too late", s.Ramp, d, got)
			}
			before = got
		}
		if got, want := s.ramped(s.Ramp), 2*s.Ramp-s.Ramp/2; got != want {
			t.Fatalf("ramp of %d: its end is due at %d, want %d", s.Ramp, got, want)
		}
	}
}

func TestPacesAreRead(t *testing.T) {
	for s, want := range map[string]error{
		"1": nil, "0.1": nil, "10": nil, "max": nil, "0": errSpeed, "-1": errSpeed, "fast": errSpeed, "": errSpeed, "0.0000001": errSpeed, "800/s": errSpeed,
	} {
		if _, err := ParseSpeed(s); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("ParseSpeed(%q): %v, want %v", s, err, want)
		}
	}
	if _, err := ParseRate("1"); !errors.Is(err, units.ErrRate) {
		t.Errorf("ParseRate: %v", err)
	}
	if _, err := ParseBandwidth("20M/s"); !errors.Is(err, units.ErrByteRate) {
		t.Errorf("ParseBandwidth: %v", err)
	}
	for s, want := range map[string]string{"max": "speed max", "0.5": "speed 0.5", "3000/min": "rate 3000/min", "20MB/s": "bandwidth 20MB/s"} {
		if got := pace(t, s).String(); got != want {
			t.Errorf("%q is spelled %q, want %q", s, got, want)
		}
	}
}

func TestPacesAreMadeAsTheyAreRead(t *testing.T) {
	for _, c := range []struct {
		made Pace
		read string
	}{
		{Speed(1), "1"}, {Speed(0.1), "0.1"}, {Speed(2.5), "2.5"}, {Rate(800, sec), "800/s"}, {Rate(3000, time.Minute), "3000/min"}, {Bandwidth(20_000_000, sec), "20MB/s"},
	} {
		read := pace(t, c.read)
		for _, amount := range []int64{0, 1, 7, 1_000_000_007} {
			if got, want := c.made.due(amount), read.due(amount); got != want {
				t.Errorf("%s: %d is due after %v, read from %q after %v", c.made, amount, got, c.read, want)
			}
		}
		if err := (Schedule{Pace: c.made}).Check(); err != nil || !c.made.Timed() {
			t.Errorf("%s is refused: %v", c.made, err)
		}
	}
}

func TestPacesThatCannotBeAreRefused(t *testing.T) {
	for _, p := range []Pace{
		Speed(0), Speed(-1), Speed(math.NaN()), Speed(math.Inf(1)), Speed(1e12), Speed(1e-9), Rate(0, sec), Rate(1, 0), Rate(-1, -sec), Bandwidth(0, sec), Bandwidth(1, -1),
	} {
		if err := (Schedule{Pace: p}).Check(); !errors.Is(err, ErrPace) {
			t.Errorf("%s: %v, want %v", p, err, ErrPace)
		}
	}
}

func TestSchedulesThatCannotBeAreRefused(t *testing.T) {
	for _, c := range []struct {
		pace     string
		schedule Schedule
		ok       bool
	}{
		{"max", Schedule{}, true},
		{"max", Schedule{Loop: 3, LoopDelay: sec}, true},
		{"1", Schedule{Ramp: sec, MaxGap: sec, Loop: Forever, LoopDelay: sec}, true},
		{"800/s", Schedule{Ramp: sec}, true},
		{"max", Schedule{Ramp: sec}, false},
		{"max", Schedule{MaxGap: sec}, false},
		{"800/s", Schedule{MaxGap: sec}, false},
		{"20MB/s", Schedule{MaxGap: sec}, false},
		{"1", Schedule{LoopDelay: sec}, false},
		{"1", Schedule{Loop: 1, LoopDelay: sec}, false},
		{"1", Schedule{Loop: -2}, false},
		{"1", Schedule{Ramp: -1}, false},
	} {
		c.schedule.Pace = pace(t, c.pace)
		if err := c.schedule.Check(); (err == nil) != c.ok {
			t.Errorf("%s %+v: %v, want ok %v", c.pace, c.schedule, err, c.ok)
		}
	}
}

func BenchmarkSchedule(b *testing.B) {
	for _, text := range []string{"2.5", "800/s", "20MB/s"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			line := New(Schedule{Pace: pace(b, text), Ramp: time.Second})
			for ms := int64(0); b.Loop(); ms++ {
				line.Next(ms/10, 100)
			}
		})
	}
}
