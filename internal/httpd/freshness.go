package httpd

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// Freshness is a duration, in JSON a number of seconds or text such as 1m30s.
type Freshness time.Duration

// maxFreshness is the oldest answer that an asker may accept.
const maxFreshness = Freshness(24 * time.Hour)

// Schema is its JSON schema.
func (Freshness) Schema(huma.Registry) *huma.Schema {
	zero := 0.0
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeNumber, Minimum: &zero}, {Type: huma.TypeString},
	}}
}

// UnmarshalJSON reads either form. Errors: EINVALID.
func (f *Freshness) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	var err error
	*f, err = parseFreshness(text)
	return err
}

func parseFreshness(text string) (Freshness, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= 0) || math.IsInf(seconds, 0) { // NaN too
			return 0, weir.Errorf(weir.EINVALID, "freshness: 0 or more")
		}
		return Freshness(math.Min(seconds, time.Duration(maxFreshness).Seconds()) * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, weir.Errorf(weir.EINVALID, "freshness: a number of seconds, or a duration such as 1m30s")
	}
	return min(Freshness(d), maxFreshness), nil
}
