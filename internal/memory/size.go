package memory

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes. As text it is "512MB" or "1.5GiB".
type Size int64

// Units of sizes.
const (
	MB Size = 1_000_000
	GB Size = 1_000 * MB
)

var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
}

// UnmarshalText reads what an operator writes: a number and a unit.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(string(text), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSuffix(number, " "), 64)
		if err != nil || !(n > 0) || n*u.bytes > 1e18 { // not a number is refused too
			break
		}
		*s = Size(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%q: want a size such as 512MB or 2GB", text)
}

// String returns the size in whole MB, as all sizes of the budget are told.
func (s Size) String() string { return strconv.FormatInt(int64((s+MB/2)/MB), 10) + "MB" }
