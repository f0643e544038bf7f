package bench

import (
	"encoding/json"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
)

// shortPeople is how many events there are for each person of ShortMix: 400,000
// persons make 6 million events of a month.
const shortPeople = 15

// ShortMix is Mix of another site: nine of ten visits are one screen view, each event
// has five properties of its own, and each tenth person is known by a profile in all of
// its visits. Without Plan.Devices there is a device for each 15 events, 400,000 for 6
// million.
func ShortMix(seed int64, plan Plan) iter.Seq[weir.Event] {
	if plan.Devices <= 0 {
		plan.Devices = max(plan.Events/shortPeople, 1)
	}
	return mix(seed, plan, true)
}

// drawShortVisits makes the seed's visits for ShortMix.
func drawShortVisits(seed int64) []visit {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x5368_6f72))
	visits := make([]visit, visitPool)
	for i := range visits {
		v := &visits[i]
		v.referrer = pick(rng, referrers)
		n := 1
		if i%10 == 0 {
			n = 2 + rng.IntN(3)
		}
		for j := range n {
			page := pick(rng, pages)
			s := step{name: weir.NameScreenView, path: page.path, title: page.title}
			if j > 0 {
				s.pause = time.Duration((5 + rng.ExpFloat64()*30) * float64(time.Second)).Truncate(time.Microsecond)
			}
			v.length += s.pause
			v.steps = append(v.steps, s)
		}
	}
	return visits
}

// shortProperties makes the five properties of the event with a number.
func shortProperties(seed, number uint64) json.RawMessage {
	h := mix64(seed ^ number*0x9e37)
	draw := func(n uint64) uint64 {
		v := h % n
		h /= n
		return v
	}
	b := make([]byte, 0, 96)
	b = append(append(b, `{"plan":"`...), plans[draw(uint64(len(plans)))]...)
	b = append(append(b, `","theme":"`...), themes[draw(uint64(len(themes)))]...)
	b = append(b, `","viewport":"`...)
	b = strconv.AppendUint(b, 320+80*draw(20), 10)
	b = append(b, 'x')
	b = strconv.AppendUint(b, 640+60*draw(8), 10)
	b = append(b, `","variant":"`...)
	b = append(b, byte('A'+draw(4)), '"')
	b = append(b, `,"load_ms":`...)
	b = strconv.AppendUint(b, 80+draw(2000), 10)
	return append(b, '}')
}
