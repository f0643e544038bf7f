package coldtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// testExport reads a profile in many pages, over rows that share a moment or a place.
func testExport(t *testing.T, open func(*testing.T, string) cold.Store, _ Part) {
	s := begin(t, open)
	p := storyProject("export", "pages")
	const events, visits, dead, changes = 450, 2300, 2300, 1500
	b := &cold.Batch{Token: "more", Log: "log", First: 1, Last: events, Now: traitFrom}
	for i := range events {
		r := weir.EventRow{Seq: uint64(i + 1)}
		r.ID, r.ProjectID, r.Name, r.ProfileID, r.Time, r.ReceivedAt = fmt.Sprint("e", i), p.ID, "click", "u", traitFrom, traitFrom
		r.Properties = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 3000))
		b.Events = append(b.Events, r)
	}
	for i := range visits { // some moments have many
		at := traitFrom.Add(time.Duration(i/700) * time.Second)
		b.Visits = append(b.Visits, weir.VisitRow{
			ProjectID: p.ID, DeviceID: fmt.Sprint("d", i%3), SessionID: fmt.Sprint("s", i/2), ProfileID: "u", Sign: 1, Version: uint32(1 + i%2), Start: at, End: at, Events: 1, Entry: "/" + strings.Repeat("y", 400),
		})
	}
	for i := range dead { // and some places
		who := `"ProfileID":"u"`
		if i%3 == 0 {
			who = `"ProfileID":"v"`
		}
		b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: p.ID, Seq: uint64(i / 5), Reason: fmt.Sprint("r", i), Event: fmt.Appendf(nil, `{%s,"n":%d,"text":%q}`, who, i, strings.Repeat("z", 400)), At: traitFrom})
	}
	for i := range changes {
		b.Traits = append(b.Traits, weir.TraitChange{ProjectID: p.ID, ProfileID: "u", Trait: fmt.Sprint("t", i%7), Op: weir.TraitSet, At: traitFrom, Place: fmt.Sprintf("%06d", i/7), Text: strings.Repeat("w", 900), Quoted: true})
		if i%2 == 0 {
			b.Traits = append(b.Traits, b.Traits[len(b.Traits)-1])
		}
	}
	const devices = 1200 // more than a profile's answer shows
	for i := range devices {
		d := fmt.Sprintf("device-%04d", i)
		b.Links = append(b.Links, weir.Link{ProjectID: p.ID, DeviceID: d, ProfileID: "u", At: traitFrom.Add(time.Duration(i) * time.Second)})
		b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: p.ID, Seq: uint64(dead + i), Event: fmt.Appendf(nil, `{"DeviceID":%q}`, d), At: traitFrom})
	}
	b.Visits = append(b.Visits, weir.VisitRow{
		ProjectID: p.ID, DeviceID: "d", SessionID: "whole", ProfileID: "u", Sign: 1, Version: 1, Start: traitFrom.Add(time.Hour), End: traitFrom.Add(time.Hour),
		Events: 9, ScreenViews: 2, Interactive: 3, Calls: 4, Revenue: 12.5, UTMSource: "letter", UTMMedium: "mail", UTMCampaign: "spring", Bot: true,
	})
	on := b.Visits[len(b.Visits)-1]
	on.SessionID, on.Start, on.End = "open", time.Now(), time.Now()
	b.Visits = append(b.Visits, on)
	write(t, s, b)
	var out bytes.Buffer
	if err := insight.New(s, passed{}, nil, insight.Options{}).Export(t.Context(), p, "u", &out); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Changes []struct {
			Trait string `json:"trait"`
		} `json:"changes"`
		Visits, Events []json.RawMessage
		Devices        []json.RawMessage
		Dead           []struct {
			Event string `json:"event"`
		} `json:"dead_letters"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	letters := map[string]bool{}
	for _, d := range doc.Dead {
		letters[d.Event] = true
	}
	if len(doc.Changes) != changes || len(doc.Visits) != visits+2 || len(doc.Devices) != devices || len(doc.Events) != events || len(doc.Dead) != len(letters) || len(letters) != dead-(dead+2)/3+devices {
		t.Errorf("%d devices, %d changes, %d visits, %d events, %d dead letters, %d of them different", len(doc.Devices), len(doc.Changes), len(doc.Visits), len(doc.Events), len(doc.Dead), len(letters))
	}
	if open := string(doc.Visits[len(doc.Visits)-1]); !strings.Contains(open, `"session_id":"open"`) || strings.Contains(open, `"ended"`) {
		t.Errorf("the visit that is not over: %s", open)
	}
	last := string(doc.Visits[len(doc.Visits)-2])
	for _, part := range []string{`"utm_source":"letter"`, `"utm_medium":"mail"`, `"utm_campaign":"spring"`, `"interactive":3`, `"calls":4`, `"bot":true`, `"ended":true`} {
		if !strings.Contains(last, part) {
			t.Errorf("a visit is without %s: %s", part, last)
		}
	}
}
