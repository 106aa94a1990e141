package speedscale

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"
)

// integer reads a number or, as Protobuf spells those of 64 bits, a number in a string. What is not there is 0.
func integer(f gjson.Result, bits int) (int64, error) {
	text := f.Raw
	switch {
	case !f.Exists() || f.Type == gjson.Null:
		return 0, nil
	case f.Type == gjson.String:
		text = f.String()
	case f.Type != gjson.Number:
		return 0, errors.New("not a number")
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("not a whole number of %d bits", bits)
	}
	return n, nil
}
