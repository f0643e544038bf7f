package dump

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// batch is the events of one record while they are made.
type recordEvents struct {
	events     []weir.Incoming
	properties []map[string]any // properties of events
	complete   bool             // events are as they are sent
	skipped    string
}

func (b *recordEvents) reset() { *b = recordEvents{} }

// leave says why the record makes no event.
func (b *recordEvents) skip(why string) { b.skipped = why }

// add begins another event. Its properties may be nil, and are finish's to
// change from then on.
func (b *recordEvents) add(name string, at time.Time, properties map[string]any) *weir.Incoming {
	b.events = append(b.events, weir.Incoming{Event: weir.Event{Name: name, Time: at}})
	b.properties = append(b.properties, properties)
	return &b.events[len(b.events)-1]
}

// take is instead of add: the events are those that package wire made.
func (b *recordEvents) set(in []weir.Incoming) { b.events, b.complete = in, true }

var errNoName = errors.New("there is no name of an event")

// limits are those of a server with default flags.
var limits = wire.DefaultLimits()

// finish makes of the events what the server takes: texts are cut where they
// are too long, and what cannot be stored goes, as vendors' protocols do it.
func (b *recordEvents) finish() error {
	if len(b.events) == 0 && b.skipped == "" {
		return errors.New("it contains no event")
	}
	l := &limits
	for i := range b.events {
		in := &b.events[i]
		e, s := &in.Event, &in.Source
		in.Index = i
		if b.complete {
			addressed(in)
			continue
		}
		for _, t := range []*string{&e.ID, &e.ProfileID, &e.DeviceID, &e.SessionID} {
			*t = truncate(*t, l.ID)
		}
		e.Name = truncate(e.Name, l.Name)
		s.URL, s.Referrer = truncate(s.URL, l.URL), truncate(s.Referrer, l.URL)
		for _, t := range []*string{
			&e.Path, &e.Origin, &e.Title, &e.UTMSource, &e.UTMMedium, &e.UTMCampaign, &e.UTMTerm, &e.UTMContent,
			&e.Region, &e.City, &e.Browser, &e.BrowserVersion, &e.OS, &e.OSVersion, &e.Language, &e.Library, &s.UserAgent,
		} {
			*t = truncate(*t, l.String)
		}
		if e.Name == "" {
			return errNoName
		}
		addressed(in)
		e.Currency = letters(e.Currency, 3)
		if s.UserAgent != "" {
			// The server derives these from the user agent, with Weir's names.
			e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType = "", "", "", "", ""
		}
		if len(b.properties[i]) > 0 {
			text, err := encode(mend(b.properties[i], 1))
			if err != nil {
				return fmt.Errorf("properties: %w", err)
			}
			e.Properties = text
		}
	}
	return nil
}

// addressed leaves of address and user agent what the server may use.
func addressed(in *weir.Incoming) {
	e, s := &in.Event, &in.Source
	if a, ok := weir.ParseAddress(s.IP); ok {
		s.IP = a.String()
	} else {
		s.IP = ""
	}
	if e.DeviceID == "" && (e.ProfileID != "" || s.IP == "" || s.UserAgent == "") {
		// The event was sent by a server: Weir would derive a device from that server's
		// address, which is not the user's, or from one that many users share.
		s.IP, s.UserAgent = "", ""
	}
	e.Country = letters(e.Country, 2)
}

// cut bounds a text at the end of a character, without what cannot be stored.
func truncate(s string, limit int) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// letters is a code of n letters in upper case, or nothing.
func letters(s string, n int) string {
	if len(s) != n {
		return ""
	}
	s = strings.ToUpper(s)
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return ""
		}
	}
	return s
}

// mend makes a value one that can be stored: no zero bytes, no numbers beyond a
// double, nothing nested deeper than the server takes.
func mend(v any, depth int) any {
	deep := depth > limits.Depth
	switch v := v.(type) {
	case string:
		return truncate(v, len(v)*len("\ufffd"))
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err != nil || f-f != 0 {
			return nil
		}
	case map[string]any:
		if deep {
			return nil
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[truncate(k, len(k)*len("\ufffd"))] = mend(x, depth+1)
		}
		return out
	case []any:
		if deep {
			return nil
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = mend(x, depth+1)
		}
		return out
	}
	return v
}

// encode writes JSON as it stands, without the escapes that HTML wants.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// money sets an event's revenue.
func money(e *weir.Event, amount float64, ok bool, currency string) {
	if ok {
		e.Revenue, e.Currency = weir.Known(amount), currency
	}
}

// screen is the size of a screen, "1440x900".
func screen(width, height string) string {
	if width == "" || height == "" {
		return ""
	}
	return width + "x" + height
}

// put keeps a value that is not empty.
func put(properties map[string]any, name, value string) {
	if value != "" {
		properties[name] = value
	}
}
