package insight

import (
	"context"
	"fmt"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Profile is all that is known of a profile but its events.
type Profile struct {
	ProfileItem
	Calls          int64              `json:"calls"`
	ScreenViews    int64              `json:"screen_views"`
	Visits         int64              `json:"visits"`
	Revenue        map[string]float64 `json:"revenue" nullable:"false" doc:"sums by currency"`
	Devices        []DeviceItem       `json:"devices" nullable:"false" doc:"those that are linked to it, at most 1,000"`
	Aliases        []AliasItem        `json:"aliases" nullable:"false" doc:"former ids that count under it, at most 1,000"`
	RefusedAliases []RefusedAlias     `json:"refused_aliases,omitempty" nullable:"false" doc:"the last aliases that were refused, at most 20"`
	Refused        []RefusedChange    `json:"refused,omitempty" nullable:"false" doc:"the last changes of traits that were refused, at most 20"`
	Meta
}

// DeviceItem is a device that is linked to a profile.
type DeviceItem struct {
	DeviceID string    `json:"device_id"`
	LinkedAt time.Time `json:"linked_at"`
}

// RefusedChange is a change of a trait that was not taken.
type RefusedChange struct {
	Trait  string    `json:"trait"`
	Reason string    `json:"reason"`
	Time   time.Time `json:"ts"`
}

const (
	maxDevices = 1000
	maxRefused = 20
)

// Profile answers with one profile. freshness is as in Trend. Errors: EINVALID,
// ENOTFOUND when nothing is known of it, or it is merged into another.
func (e *Engine) Profile(ctx context.Context, p *weir.Project, profileID string, freshness time.Duration) (*Profile, error) {
	if err := isProfile(profileID); err != nil {
		return nil, err
	}
	ctx, cancel := e.within(ctx)
	defer cancel()
	release, err := e.hold(ctx, min(maxTraitBytes, e.held.all))
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.begin(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	l, err := e.linkState(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("insight: profile: %w", err)
	}
	if err := e.refuseMerged(ctx, p, l, profileID, weir.ENOTFOUND); err != nil {
		return nil, err
	}
	a := &Profile{Revenue: map[string]float64{}, Devices: []DeviceItem{}, Aliases: []AliasItem{}}
	a.ProfileID = profileID
	var first, last *int64
	note := func(from, to *int64) {
		if from != nil && (first == nil || *from < *first) {
			first = from
		}
		if to != nil && (last == nil || *to > *last) {
			last = to
		}
	}
	for _, f := range []func() error{
		func() error { return e.profileEvents(ctx, p, l, a, note) },
		func() error { return e.profileVisits(ctx, p, l, a) },
		func() error { return e.profileDevices(ctx, p, a) },
		func() error { return e.profileAliases(ctx, p, l, a) },
		func() error { return e.profileTraits(ctx, p, a, note) },
	} {
		if err := f(); err != nil {
			return nil, fmt.Errorf("insight: profile: %w", err)
		}
	}
	if first == nil && len(a.Devices) == 0 {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no such profile")
	}
	if first != nil {
		a.FirstSeen, a.LastSeen = time.UnixMicro(*first).In(p.Location()), time.UnixMicro(*last).In(p.Location())
	} else {
		a.FirstSeen, a.LastSeen = a.Devices[0].LinkedAt, a.Devices[len(a.Devices)-1].LinkedAt
	}
	a.Meta = done()
	return a, nil
}

func isProfile(id string) error {
	if id == "" {
		return weir.Errorf(weir.EINVALID, "profile: an id is missing")
	}
	return isText("profile", id)
}

// profileEvents fills in what is counted of events.
func (e *Engine) profileEvents(ctx context.Context, p *weir.Project, l linkState, a *Profile, note func(from, to *int64)) error {
	q := sql("SELECT currency, MIN("+e.d.Micros("ts")+"), MAX("+e.d.Micros("ts")+"), COUNT(*), "+
		"CAST(SUM(CASE WHEN name = @ THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN name = @ THEN 1 ELSE 0 END) AS BIGINT), SUM(revenue) "+
		"FROM events WHERE project_id = @ AND @ GROUP BY currency",
		bind(weir.NameCall), bind(weir.NameScreenView), bind(p.ID), e.eventsOfProfile(p, l, a.ProfileID))
	return e.each(ctx, q, func(scan func(...any) error) error {
		var currency string
		var from, to *int64
		var n, calls, views int64
		var revenue *float64
		if err := scan(&currency, &from, &to, &n, &calls, &views, &revenue); err != nil {
			return err
		}
		note(from, to)
		a.Events, a.Calls, a.ScreenViews = a.Events+n, a.Calls+calls, a.ScreenViews+views
		if r := finite(revenue); r != nil {
			a.Revenue[currency] += *r
		}
		return nil
	})
}

func (e *Engine) profileVisits(ctx context.Context, p *weir.Project, l linkState, a *Profile) error {
	q := sql("SELECT CAST(COALESCE(SUM(sign), 0) AS BIGINT) FROM visits WHERE project_id = @ AND @", bind(p.ID), e.visitsOfProfile(p, l, a.ProfileID))
	return e.each(ctx, q, func(scan func(...any) error) error { return scan(&a.Visits) })
}

// profileDevices fills in the devices, the one that was linked first first.
func (e *Engine) profileDevices(ctx context.Context, p *weir.Project, a *Profile) error {
	q := sql("SELECT SUBSTRING(device, 2), linked_us FROM (SELECT CONCAT('d', device_id) AS device, CONCAT('u', "+e.d.ArgMin("profile_id", "(linked_at, profile_id)")+") AS profile, "+
		"MIN("+e.d.Micros("linked_at")+") AS linked_us FROM identities WHERE project_id = @ AND device_id <> '' AND profile_id <> '' GROUP BY device_id) AS links "+
		"WHERE profile = @ ORDER BY linked_us, device LIMIT "+strconv.Itoa(maxDevices), bind(p.ID), bind("u"+a.ProfileID))
	return e.each(ctx, q, func(scan func(...any) error) error {
		var d DeviceItem
		var us int64
		if err := scan(&d.DeviceID, &us); err != nil {
			return err
		}
		d.LinkedAt = time.UnixMicro(us).In(p.Location())
		a.Devices = append(a.Devices, d)
		return nil
	})
}

func (e *Engine) profileTraits(ctx context.Context, p *weir.Project, a *Profile, note func(from, to *int64)) error {
	items := []ProfileItem{a.ProfileItem}
	if err := e.fillTraits(ctx, p, items); err != nil {
		return err
	}
	a.ProfileItem = items[0]
	us := e.d.Micros("changed_at")
	mine := sql("project_id = @ AND profile_id = @", bind(p.ID), bind(a.ProfileID))
	err := e.each(ctx, sql("SELECT MIN("+us+"), MAX("+us+") FROM traits WHERE @ HAVING COUNT(*) > 0", mine), func(scan func(...any) error) error {
		var from, to *int64
		if err := scan(&from, &to); err != nil {
			return err
		}
		note(from, to)
		return nil
	})
	if err != nil {
		return err
	}
	q := sql("SELECT DISTINCT place, trait, text, "+us+" AS us FROM traits WHERE @ AND op = 'refused' ORDER BY place DESC LIMIT "+strconv.Itoa(maxRefused), mine)
	return e.each(ctx, q, func(scan func(...any) error) error {
		var place string
		var r RefusedChange
		var at int64
		if err := scan(&place, &r.Trait, &r.Reason, &at); err != nil {
			return err
		}
		r.Time = time.UnixMicro(at).In(p.Location())
		a.Refused = append(a.Refused, r)
		return nil
	})
}
