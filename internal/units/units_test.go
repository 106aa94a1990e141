package units

import (
	"errors"
	"testing"
	"time"
)

func TestSizesAreReadWithTheirUnits(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "4096": 4096, "12B": 12, "64MiB": 64 << 20, "64mib": 64 << 20, "1GB": 1e9, "1.5GiB": 3 << 29, "2 TiB": 2 << 40, "10kb": 10000,
		"9007199254740993": 9007199254740993,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"Kb", "1Mb", "1 Gb", "1Tb", "1Kib", "1Mib", "8mIb", "", "MiB", "-1", "1M", "1.5", "1e3", "1 2", "99999999TiB", "1.2.3MB", "NaN", "Inf"} {
		if got, err := ParseSize(s); !errors.Is(err, ErrSize) {
			t.Errorf("ParseSize(%q) = %d, %v, want ErrSize", s, got, err)
		}
	}
}

func TestCountsAreReadWithTheirUnits(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "1000": 1000, "250k": 250_000, "1.5M": 1_500_000, "2G": 2e9} {
		if got, err := ParseCount(s); err != nil || got != want {
			t.Errorf("ParseCount(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "1.5", "-3", "3KiB", "many"} {
		if got, err := ParseCount(s); !errors.Is(err, ErrCount) {
			t.Errorf("ParseCount(%q) = %d, %v, want ErrCount", s, got, err)
		}
	}
}

func TestDurationsKnowDays(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0s": 0, "500ms": 500 * time.Millisecond, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "32767d": 32767 * 24 * time.Hour,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "5", "-5m", "d", "1.5d", "99999d", "1d-5m", "soon", "2562047h1d"} {
		if got, err := ParseDuration(s); !errors.Is(err, ErrDuration) {
			t.Errorf("ParseDuration(%q) = %v, %v, want ErrDuration", s, got, err)
		}
	}
}

func TestRatesAreReadExactly(t *testing.T) {
	type rate struct {
		count uint64
		per   time.Duration
	}
	for s, want := range map[string]rate{
		"800/s": {800, time.Second}, "0.5/s": {5, 10 * time.Second}, "50k/s": {50_000, time.Second}, "3000/min": {3000, time.Minute},
		"1.5K/m": {15_000, 10 * time.Minute}, "3.60M/h": {36_000_000, 10 * time.Hour}, " 7 / H": {7, time.Hour}, "999999999G/s": {999_999_999_000_000_000, time.Second},
		"0.000001/h": {1, 1_000_000 * time.Hour},
	} {
		if count, per, err := ParseRate(s); err != nil || (rate{count, per} != want) {
			t.Errorf("ParseRate(%q) = %d per %v, %v, want %d per %v", s, count, per, err, want.count, want.per)
		}
	}
	for _, s := range []string{"", "800", "800/d", "/s", "-1/s", "0/s", "0.0/s", "1x/s", "1e3/s", "1.2.3/s", "9999999999/s", "0.0000001/s", "NaN/s"} {
		if count, per, err := ParseRate(s); !errors.Is(err, ErrRate) {
			t.Errorf("ParseRate(%q) = %d per %v, %v, want ErrRate", s, count, per, err)
		}
	}
}

func TestBandwidthsAreReadExactly(t *testing.T) {
	if bytes, per, err := ParseByteRate("20MB/s"); bytes != 20_000_000 || per != time.Second || err != nil {
		t.Errorf("got %d per %v, %v", bytes, per, err)
	}
	if bytes, per, err := ParseByteRate("1.5 GiB/min"); bytes != 3<<29 || per != time.Minute || err != nil {
		t.Errorf("got %d per %v, %v", bytes, per, err)
	}
	if bytes, _, err := ParseByteRate("20mB/s"); bytes != 20_000_000 || err != nil {
		t.Errorf("got %d, %v", bytes, err)
	}
	for _, s := range []string{"20Mb/s", "20mb/s", "20 Mib /min", "800b/s", "800kb/s", "", "20MB", "0B/s", "-1MB/s", "20M/s", "20MB/d"} {
		if bytes, per, err := ParseByteRate(s); !errors.Is(err, ErrByteRate) {
			t.Errorf("ParseByteRate(%q) = %d per %v, %v, want ErrByteRate", s, bytes, per, err)
		}
	}
}

func TestDecimalsAreReadAsFractions(t *testing.T) {
	for s, want := range map[string][2]uint64{"1": {1, 1}, "0": {0, 1}, "0.1": {1, 10}, "2.50": {25, 10}, ".5": {5, 10}, "3.": {3, 1}, "123456789.000001": {123456789000001, 1_000_000}} {
		if n, d, err := ParseDecimal(s); err != nil || n != want[0] || d != want[1] {
			t.Errorf("ParseDecimal(%q) = %d/%d, %v, want %d/%d", s, n, d, err, want[0], want[1])
		}
	}
	for _, s := range []string{"", ".", "-1", "+1", "1e3", "1,5", "1234567890", "0.1234567", "1_0", "x"} {
		if n, d, err := ParseDecimal(s); !errors.Is(err, ErrDecimal) {
			t.Errorf("ParseDecimal(%q) = %d/%d, %v, want ErrDecimal", s, n, d, err)
		}
	}
}

func TestQuantitiesAreSpelledForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Size(0), "0 B"}, {Size(999), "999 B"}, {Size(1000), "0.98 KiB"}, {Size(1 << 20), "1.00 MiB"}, {Size(1023 << 20), "1.00 GiB"}, {Size(123 << 30), "123 GiB"},
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-1234567), "-1,234,567"},
		{Of(1, "record"), "1 record"}, {Of(0, "record"), "0 records"}, {Of(2000, "gap"), "2,000 gaps"},
		{Duration(312 * time.Millisecond), "312ms"}, {Duration(4240 * time.Millisecond), "4.2s"}, {Duration(200 * time.Second), "3m20s"},
		{Duration(3*time.Hour + 5*time.Minute), "3h05m"}, {Duration(28 * time.Hour), "1d4h"},
		{Fine(0), "0µs"}, {Fine(87*time.Microsecond + 600), "87µs"}, {Fine(1244 * time.Microsecond), "1.24ms"}, {Fine(120 * time.Millisecond), "120ms"},
		{Fine(3140 * time.Millisecond), "3.14s"}, {Fine(200 * time.Second), "3m20s"},
		{Time(0), "1970-01-01T00:00:00.000Z"}, {Time(1700000000123), "2023-11-14T22:13:20.123Z"}, {Time(1700000000000000), "@1700000000000000"}, {Time(-99999999999999), "@-99999999999999"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if got := Rate(1000, 500*time.Millisecond); got != 2000 {
		t.Errorf("Rate = %d, want 2000", got)
	}
	if got := Rate(1000, 0); got != 0 {
		t.Errorf("Rate without time = %d, want 0", got)
	}
}
