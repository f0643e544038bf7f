package httpd

import (
	"math"
	"net/http"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// The header fields that show a sender the state of its rates, in Go's spelling. Limit,
// Remaining and Reset describe the rate with the least left; they are of
// draft-ietf-httpapi-ratelimit-headers-06, which most clients know. RateLimit and
// RateLimit-Policy describe all rates; they are of revision 11 of that draft.
const (
	headerLimit     = "Ratelimit-Limit"
	headerRemaining = "Ratelimit-Remaining"
	headerReset     = "Ratelimit-Reset"
	headerNow       = "Ratelimit"
	headerPolicy    = "Ratelimit-Policy"

	rateLimitFields = "RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)

// refusalError returns the answer to a sender that is over a limit.
func refusalError(r *ingest.Refusal) *Error {
	e := newError(r.Err.Code, r.Err.Message, r.Err.Details, r)
	e.retryAfter(seconds(r.After))
	setStanding(e.header, r.Standing)
	return e
}

// setStanding sets the header fields about the rates; a nil Standing is no rate. It runs
// for every request with events, so all values are parts of one string: one allocation.
func setStanding(h http.Header, standings ...*ingest.Standing) {
	var least *ingest.Standing
	for _, s := range standings {
		if s != nil && (least == nil || left(s) < left(least)) {
			least = s
		}
	}
	if least == nil {
		return
	}
	var buf [256]byte
	var ends [5]int
	b := strconv.AppendInt(buf[:0], int64(least.Rate.N), 10)
	ends[0] = len(b)
	b = strconv.AppendInt(b, int64(least.Remaining), 10)
	ends[1] = len(b)
	b = strconv.AppendInt(b, int64(seconds(least.Reset)), 10)
	ends[2] = len(b)
	b = appendItems(b, standings, func(b []byte, s *ingest.Standing) []byte {
		b = strconv.AppendInt(append(b, ";r="...), int64(s.Remaining), 10)
		return strconv.AppendInt(append(b, ";t="...), int64(seconds(s.Reset)), 10)
	})
	ends[3] = len(b)
	b = appendItems(b, standings, func(b []byte, s *ingest.Standing) []byte {
		b = strconv.AppendInt(append(b, ";q="...), int64(s.Rate.N), 10)
		return strconv.AppendInt(append(b, ";w="...), int64(s.Rate.Per/time.Second), 10)
	})
	ends[4] = len(b)
	all, values, begin := string(b), make([]string, len(ends)), 0
	for i, name := range [...]string{headerLimit, headerRemaining, headerReset, headerNow, headerPolicy} {
		values[i] = all[begin:ends[i]]
		h[name] = values[i : i+1 : i+1]
		begin = ends[i]
	}
}

// appendItems appends a list of structured fields: the names of the policies with
// their parameters.
func appendItems(b []byte, standings []*ingest.Standing, parameters func([]byte, *ingest.Standing) []byte) []byte {
	more := false
	for _, s := range standings {
		if s == nil {
			continue
		}
		if more {
			b = append(b, ", "...)
		}
		b = append(append(append(b, '"'), s.Policy...), '"')
		b, more = parameters(b, s), true
	}
	return b
}

// left returns the share of a rate that is left, 0 to 1.
func left(s *ingest.Standing) float64 { return float64(s.Remaining) / float64(s.Rate.N) }

// seconds returns a duration in seconds, rounded up.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// Limits are a project's limits as clients see them.
type Limits struct {
	LimitKey string `json:"limit_key" doc:"most events by one write key, such as 1000/s; off for any number; empty is the server's"`
	LimitIP  string `json:"limit_ip" doc:"most requests from one address, such as 600/m; off for any number; empty is the server's"`
	Quota    int64  `json:"quota" doc:"most events of a calendar month in the project's timezone; 0 is any number"`
	Over     string `json:"over" enum:"refuse,sample,flag" doc:"what becomes of more"`
	Sample   int    `json:"sample" doc:"percent of the devices that are kept under the policy sample"`
}

func limitsOf(l weir.Limits) Limits {
	return Limits{LimitKey: l.Key.String(), LimitIP: l.IP.String(), Quota: l.Quota, Over: string(l.Over), Sample: l.Sample}
}
