package coldtest

import (
	"encoding/json"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// linksOf are the links that are said: some that somebody brings, and those that
// events say themselves.
func linksOf(links []weir.Link, events []weir.EventRow) []weir.Link {
	out := slices.Clone(links)
	for i := range events {
		e := &events[i]
		if e.ProfileID == "" {
			continue
		}
		l := weir.Link{ProjectID: e.ProjectID, ProfileID: e.ProfileID, At: e.Time}
		if e.DeviceID != "" {
			out = append(out, weir.Link{ProjectID: e.ProjectID, DeviceID: e.DeviceID, ProfileID: e.ProfileID, At: e.Time})
		}
		if e.Name != weir.NameIdentify {
			continue
		}
		var properties map[string]any
		d := json.NewDecoder(strings.NewReader(string(e.Properties)))
		d.UseNumber()
		_ = d.Decode(&properties)
		alias := ""
		switch v := properties["$alias"].(type) {
		case string:
			alias = v
		case json.Number:
			alias = string(v)
		}
		switch strings.ToLower(alias) { // those that the suite sends
		case "0", "undefined", "none", "null", e.ProfileID:
		default:
			l.DeviceID, l.Alias = alias, alias != ""
		}
		out = append(out, l)
	}
	return out
}

// unnamedOf says which profiles of events are ids of devices. Nobody identified such a profile,
// nobody says that it is an alias, and a device has its id.
func unnamedOf(links []weir.Link, events []weir.EventRow) map[string]bool {
	devices, known := map[string]bool{}, map[string]bool{}
	for _, l := range links {
		known[l.ProfileID] = true
		if devices[l.DeviceID] = true; l.Alias {
			known[l.DeviceID] = true
		}
	}
	for i := range events {
		if events[i].ProfileID == "" {
			devices[events[i].DeviceID] = true
		}
	}
	out := map[string]bool{}
	for i := range events {
		if id := events[i].ProfileID; id != "" && devices[id] && !known[id] {
			out[id] = true
		}
	}
	return out
}

// mergesOf says which profiles count under which others.
func mergesOf(links []weir.Link) map[string]string {
	identified := map[string]bool{}
	for _, l := range links {
		identified[l.ProfileID] = true
	}
	first := map[string]weir.Link{}
	for _, l := range links {
		if !l.Alias || identified[l.DeviceID] {
			continue
		}
		f, ok := first[l.DeviceID]
		if !ok || l.At.Before(f.At) || l.At.Equal(f.At) && l.ProfileID < f.ProfileID {
			first[l.DeviceID] = l
		}
	}
	out := map[string]string{}
	for former, l := range first {
		out[former] = l.ProfileID
	}
	return out
}
