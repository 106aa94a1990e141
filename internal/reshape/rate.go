package reshape

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// ErrRate is wrapped for text that is no part of a whole.
var ErrRate = errors.New("not a part: use a percentage such as 5% or a fraction such as 0.05")

// Rate is a part of the whole, exact. The zero value is all of it.
type Rate struct {
	text string
	// threshold is the part of 2^64, rounded down; valid when part is set.
	threshold uint64
	part      bool
}

// ParseRate reads 5%, 0.5% or 0.005: more than nothing and at most all.
func ParseRate(s string) (Rate, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	r, ok := new(big.Rat).SetString(strings.TrimSpace(number))
	if !ok || !plainNumber(number) {
		return Rate{}, fmt.Errorf("%q: %w", s, ErrRate)
	}
	if percent {
		r.Quo(r, big.NewRat(100, 1))
	}
	switch one := big.NewRat(1, 1); {
	case r.Sign() <= 0 || r.Cmp(one) > 0:
		return Rate{}, fmt.Errorf("%q: %w: it must be more than 0 and at most 100%%", s, ErrRate)
	case r.Cmp(one) == 0:
		return Rate{}, nil
	}
	whole := new(big.Int).Lsh(big.NewInt(1), 64)
	scaled := new(big.Int).Mul(r.Num(), whole)
	return Rate{text: strings.TrimSpace(s), threshold: scaled.Quo(scaled, r.Denom()).Uint64(), part: true}, nil
}

// plainNumber is digits with at most one dot. It bounds what big.Rat would take: fractions, exponents.
func plainNumber(s string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil && len(s) < 64 && strings.Trim(strings.TrimSpace(s), "0123456789.") == ""
}

// All says that the rate is the whole.
func (r Rate) All() bool { return !r.part }

// String spells the rate as ParseRate reads it.
func (r Rate) String() string {
	if !r.part {
		return "100%"
	}
	return r.text
}

// MarshalJSON writes the threshold, so that equal rates are equal however they are spelled.
func (r Rate) MarshalJSON() ([]byte, error) {
	if !r.part {
		return []byte("null"), nil
	}
	return json.Marshal(r.threshold)
}

// takes says whether a hash that is spread evenly falls into the part.
func (r Rate) takes(hash uint64) bool { return !r.part || hash < r.threshold }
