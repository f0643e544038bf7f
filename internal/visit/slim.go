package visit

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// Slim returns what a fold reads of a row for the visits that it leaves, without holding the
// record that the row is of. It is some 1.5 KB, and does not have the properties.
func Slim(r *weir.EventRow) weir.EventRow {
	s := weir.EventRow{Shard: r.Shard, Seq: r.Seq}
	s.Time, s.ReceivedAt, s.Bot, s.Revenue = r.Time, r.ReceivedAt, r.Bot, r.Revenue
	if r.Call != nil {
		s.Call = &weir.Call{}
	}
	from, to := texts(r), texts(&s)
	for i := range from {
		*to[i] = strings.Clone(*from[i])
	}
	return s
}

func texts(r *weir.EventRow) []*string {
	return []*string{
		&r.ID, &r.ProjectID, &r.Name, &r.DeviceID, &r.ProfileID, &r.SessionID, &r.Path, &r.Origin, &r.Referrer, &r.Channel,
		&r.UTMSource, &r.UTMMedium, &r.UTMCampaign, &r.Country, &r.Region, &r.City, &r.Browser, &r.OS, &r.DeviceType, &r.Language,
	}
}
