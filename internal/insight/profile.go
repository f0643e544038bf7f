package insight

import (
	"context"
	"fmt"
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

// Profile answers with one profile. freshness is as in Asker. Errors: EINVALID,
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
	done, err := e.passBarrier(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	r, err := e.reader(ctx, p, true)
	if err != nil {
		return nil, fmt.Errorf("insight: profile: %w", err)
	}
	if err := r.refuseMerged(ctx, profileID, weir.ENOTFOUND); err != nil {
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
		func() error { return r.profileEvents(ctx, a, note) },
		func() error { return r.profileVisits(ctx, a) },
		func() error { return r.profileDevices(ctx, a) },
		func() error { return r.profileAliases(ctx, a) },
		func() error { return r.profileTraits(ctx, a, note) },
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
	return weir.CheckText("profile", id)
}

// profileEvents fills in what is counted of events.
func (r *reader) profileEvents(ctx context.Context, a *Profile, note func(from, to *int64)) error {
	q := selection{
		columns: comma(
			names("currency", "MIN("+r.d.Micros("ts")+")", "MAX("+r.d.Micros("ts")+")", "COUNT(*)"),
			sql(whole(countIf("name = @")), bind(weir.NameCall)), sql(whole(countIf("name = @")), bind(weir.NameScreenView)), names(moneySum(r.d, "revenue"), "COUNT(revenue)")),
		from:    raw("events"),
		where:   all(sql("project_id = @", bind(r.project.ID)), r.eventsOfProfile(a.ProfileID)),
		groupBy: "currency",
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var currency string
		var from, to *int64
		var n, calls, views, priced int64
		var revenue *float64
		if err := scan(&currency, &from, &to, &n, &calls, &views, &revenue, &priced); err != nil {
			return err
		}
		note(from, to)
		a.Events, a.Calls, a.ScreenViews = a.Events+n, a.Calls+calls, a.ScreenViews+views
		if sum := finite(revenue); sum != nil && priced > 0 {
			a.Revenue[currency] = rounded(*sum)
		}
		return nil
	})
}

func (r *reader) profileVisits(ctx context.Context, a *Profile) error {
	q := selection{columns: raw(whole("SUM(sign)")), from: raw("visits"), where: all(sql("project_id = @ AND screen_views > 0", bind(r.project.ID)), r.visitsOfProfile(a.ProfileID))}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error { return scan(&a.Visits) })
}

// profileDevices fills in the devices, the one that was linked first first.
func (r *reader) profileDevices(ctx context.Context, a *Profile) error {
	q := selection{
		columns: raw("SUBSTRING(device, 2), linked_us"), from: sql("(@) AS links", r.deviceLinks("MIN("+r.d.Micros("linked_at")+") AS linked_us")),
		where: sql("profile = @", bind("u"+a.ProfileID)), orderBy: "linked_us, device", limit: maxDevices,
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var d DeviceItem
		var us int64
		if err := scan(&d.DeviceID, &us); err != nil {
			return err
		}
		d.LinkedAt = r.local(us)
		a.Devices = append(a.Devices, d)
		return nil
	})
}

func (r *reader) profileTraits(ctx context.Context, a *Profile, note func(from, to *int64)) error {
	items := []ProfileItem{a.ProfileItem}
	if err := r.fillTraits(ctx, r.project, items); err != nil {
		return err
	}
	a.ProfileItem = items[0]
	us := r.d.Micros("changed_at")
	mine := sql("project_id = @ AND profile_id = @", bind(r.project.ID), bind(a.ProfileID))
	changed := selection{columns: names("MIN("+us+")", "MAX("+us+")"), from: raw("traits"), where: mine, having: raw("COUNT(*) > 0")}
	err := r.each(ctx, changed.statement(), func(scan func(...any) error) error {
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
	q := selection{
		columns: raw("DISTINCT place, trait, text, " + us + " AS us"), from: raw("traits"), where: all(mine, raw("op = 'refused'")), orderBy: "place DESC", limit: maxRefused,
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var place string
		var c RefusedChange
		var at int64
		if err := scan(&place, &c.Trait, &c.Reason, &at); err != nil {
			return err
		}
		c.Time = r.local(at)
		a.Refused = append(a.Refused, c)
		return nil
	})
}
