package coldtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// BenchTraits measures questions by traits over a million events of 100,000 profiles,
// each of which has a device and was identified twice.
func BenchTraits(b *testing.B, open func(b *testing.B, dir string) cold.Store) {
	const events, profiles = 1_000_000, 100_000
	s := open(b, b.TempDir())
	defer s.Close()
	p := &weir.Project{ID: "traits", Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	from := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)
	for first := 0; first < events; first += 10_000 {
		batch := &cold.Batch{Token: fmt.Sprint("bench-", first), Log: "log", First: uint64(first + 1), Last: uint64(first + 10_000), Now: from}
		for i := first; i < first+10_000; i++ {
			n := i % profiles
			row := weir.EventRow{Seq: uint64(i + 1)}
			row.ID, row.ProjectID, row.Name, row.DeviceID = fmt.Sprintf("event-%020d", i), p.ID, weir.NameScreenView, fmt.Sprint("device-", n)
			row.Time = from.Add(time.Duration(i) * 30 * 24 * time.Hour / events).Truncate(time.Microsecond)
			row.ReceivedAt, row.Path, row.Country = row.Time, "/", []string{"DE", "IN", "US"}[r.IntN(3)]
			if i < profiles || i >= events-profiles {
				row.Name, row.ProfileID = weir.NameIdentify, fmt.Sprint("user-", n)
				row.Properties = json.RawMessage(fmt.Sprintf(`{"plan":"plan-%d","name":"Name of %d","$set_once":{"first":%d},"$add":{"logins":1}}`, r.IntN(5), n, i))
				batch.Links = append(batch.Links, weir.Link{ProjectID: p.ID, DeviceID: row.DeviceID, ProfileID: row.ProfileID, At: row.Time})
			}
			batch.Events = append(batch.Events, row)
		}
		if err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	e := insight.New(s, written{cold.Latest}, time.Now, insight.Options{}) // all is there, whenever it is asked
	for name, q := range map[string]weir.Trend{
		"unique by country":         {Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "country"},
		"unique by a trait":         {Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "traits.plan"},
		"total by an added trait":   {Series: []weir.Series{{Math: weir.MathTotal}}, Breakdown: "traits.logins"},
		"total, filter of a trait":  {Series: []weir.Series{{Math: weir.MathTotal}}, Common: weir.Common{Filter: weir.Filter{{Column: "traits.plan", Op: "=", Values: []string{"plan-1"}}}}},
		"total, filter of property": {Series: []weir.Series{{Math: weir.MathTotal}}, Common: weir.Common{Filter: weir.Filter{{Column: "properties.plan", Op: "=", Values: []string{"plan-1"}}}}},
	} {
		q.From, q.To, q.Interval = from, from.AddDate(0, 0, 30), weir.Day
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := insight.Ask[insight.Trend](b.Context(), e, p, q, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	value := "plan-1"
	for name, q := range map[string]insight.ProfilesQuery{"profiles": {}, "profiles by a trait": {Trait: "plan", Value: &value}, "profiles by a search": {Search: "77"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Profiles(b.Context(), p, q, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("one profile", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := e.Profile(b.Context(), p, fmt.Sprint("user-", i%profiles), 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("erase one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := e.Erase(b.Context(), p, s, noCounters{}, fmt.Sprint("user-", i%profiles), "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
