// Package bench makes load and data that look like a site's: Mix yields events
// for data sets, and Run drives a running server over HTTP and measures it.
//
// Both draw from the same visits, so that what is measured under load is what
// lies in the benchmarks' data.
package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	weir "github.com/weir-analytics/weir"
)

// step is one event of a visit, without who and when.
type step struct {
	name       string
	path       string
	title      string
	call       *weir.Call
	revenue    float64
	properties json.RawMessage
	pause      time.Duration // since the step before; 0 for the first
	identified bool          // the visitor is known, from an identify on
}

// visit is what one visitor does, with how they came.
type visit struct {
	steps    []step
	referrer string // of the first page, a full address or ""
	length   time.Duration
}

// visitPool is how many different visits a seed draws. Devices repeat them, as
// people do.
const visitPool = 512

// drawVisits makes the seed's visits.
func drawVisits(seed int64) []visit {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x5765_6972))
	visits := make([]visit, visitPool)
	for i := range visits {
		visits[i] = drawVisit(rng)
	}
	return visits
}

// drawVisit begins with a page. Over all, some 55 % of steps are screen views,
// 22 % custom events, 20 % calls and 3 % identifications.
func drawVisit(rng *rand.Rand) visit {
	v := visit{referrer: pick(rng, referrers)}
	n := 2 + rng.IntN(11)
	page := pick(rng, pages)
	identified := false
	for i := range n {
		var s step
		switch p := rng.Float64(); {
		case i == 0 || p < 0.475:
			page = pick(rng, pages)
			s = step{name: weir.NameScreenView, title: page.title}
			s.properties = object(`{"theme":%q,"viewport":"%dx%d"}`, pick(rng, themes), 320+rng.IntN(20)*80, 640+rng.IntN(8)*60)
		case p < 0.475+0.26:
			s = drawCustom(rng)
		case p < 0.475+0.26+0.232:
			s = drawCall(rng)
		default:
			identified = true
			s = step{name: weir.NameIdentify}
			s.properties = object(`{"plan":%q,"seats":%d}`, pick(rng, plans), 1+rng.IntN(50))
		}
		s.path, s.identified = page.path, identified
		if i > 0 {
			// Mostly seconds, now and then minutes; always under 30 min in sum.
			s.pause = time.Duration(min(2+rng.ExpFloat64()*20, 120) * float64(time.Second)).Truncate(time.Microsecond)
		}
		v.length += s.pause
		v.steps = append(v.steps, s)
	}
	return v
}

func drawCustom(rng *rand.Rand) step {
	price := float64(499+rng.IntN(20000)) / 100
	switch rng.IntN(5) {
	case 0:
		return step{name: "search", properties: object(`{"query":%q,"results":%d,"sorted_by":"relevance"}`, pick(rng, queries), rng.IntN(200))}
	case 1:
		return step{name: "add_to_cart", properties: object(`{"sku":"SKU-%05d","price":%.2f,"quantity":%d,"currency":"EUR"}`, rng.IntN(2000), price, 1+rng.IntN(4))}
	case 2:
		return step{name: "purchase", revenue: price, properties: object(`{"order":"O-%07d","items":%d,"coupon":%t,"revenue":%.2f}`, rng.IntN(1e7), 1+rng.IntN(6), rng.IntN(4) == 0, price)}
	case 3:
		return step{name: "video_play", properties: object(`{"video":"intro-%02d","position":%d,"muted":%t,"quality":"1080p"}`, rng.IntN(40), rng.IntN(600), rng.IntN(2) == 0)}
	}
	return step{name: "button_click", properties: object(`{"button":%q,"section":"header","variant":"%c"}`, pick(rng, buttons), 'A'+rune(rng.IntN(3)))}
}

// drawCall makes an API request: mostly good, with a latency that is log-normal
// around its route's own.
func drawCall(rng *rand.Rand) step {
	r := pick(rng, routes)
	status := r.status
	switch p := rng.Float64(); {
	case p < 0.005:
		status = 500
	case p < 0.008:
		status = 503
	case p < 0.03:
		status = 404
	case p < 0.045:
		status = 401
	}
	ms := r.median * math.Exp(0.6*rng.NormFloat64())
	return step{
		name: weir.NameCall,
		call: &weir.Call{
			Method: r.method, Route: r.route, Status: status,
			LatencyMS: weir.Known(math.Round(ms*1000) / 1000),
			Consumer:  pick(rng, consumers),
		},
		properties: object(`{"region":%q,"bytes":%d}`, pick(rng, regions), 200+rng.IntN(20000)),
	}
}

// pick draws with a preference for the front of the list, as popularity is.
func pick[T any](rng *rand.Rand, list []T) T {
	u := rng.Float64()
	return list[int(u*u*float64(len(list)))]
}

func object(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}

// mix64 spreads n over 64 bits: the finalizer of splitmix64 (Steele, Lea and
// Flood, 2014).
func mix64(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// unit maps 64 random bits to [0, 1).
func unit(n uint64) float64 { return float64(n>>11) / (1 << 53) }
