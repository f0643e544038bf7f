package weir

import "time"

// KeyPrefix is what every write key begins with, so that people, and scanners for
// secrets, recognize one.
const KeyPrefix = "wk_"

// Project is a tenant.
type Project struct {
	ID        string // short, URL-safe
	Name      string
	Timezone  string // IANA name
	CreatedAt time.Time
	// StoreIP keeps the visitor's address in the event's properties.
	StoreIP bool
	// RetentionDays is for how many whole days before today, in its timezone, the
	// cold tier keeps what happened; 0 is for ever.
	RetentionDays int
	// Sites are other names of the project, in lower case and without "www.". Those that are
	// hosts are no referrers: who comes from one was on the project's pages before.
	Sites []string
	// KeyOrigins are the hosts whose pages may send with the write key by which the project
	// was found. None: everybody who has the key may.
	KeyOrigins []string
	// URLRules say which of its paths are one page.
	URLRules URLRules
	// AddressFilters are the networks whose events it refuses.
	AddressFilters AddressFilters
	// BotRules say which events are bots', and what happens to them.
	BotRules BotRules
	// Recounting says whether its counters are being made anew, since its timezone changed.
	Recounting Recounting
	// Limits are what it may bring in.
	Limits Limits

	loc *time.Location
}

// Location is the project's timezone. An unknown name is UTC; NewProject
// refuses such names, so that happens only when the zone database shrank.
func (p *Project) Location() *time.Location {
	if p.loc == nil {
		loc, err := time.LoadLocation(p.Timezone)
		if err != nil {
			return time.UTC
		}
		return loc
	}
	return p.loc
}

// Resolve looks the timezone up once, so that Location costs nothing after. It
// returns an EINVALID error for an unknown name. Call it before the project is
// shared between goroutines.
func (p *Project) Resolve() error {
	if p.Timezone == "" {
		p.Timezone = "UTC"
	}
	loc, err := time.LoadLocation(p.Timezone)
	if err != nil || p.Timezone == "Local" {
		return Errorf(EINVALID, "unknown timezone %q: use an IANA name such as Europe/Berlin", p.Timezone)
	}
	p.loc = loc
	return nil
}

// MaxRetentionDays is the longest retention that is not for ever.
const MaxRetentionDays = 36_500

// CheckRetention returns an EINVALID error unless a project may have the retention.
func CheckRetention(days int) error {
	if days < 0 || days > MaxRetentionDays {
		return Errorf(EINVALID, "a retention of %d days: use 1 to %d, or 0 for ever", days, MaxRetentionDays)
	}
	return nil
}

// RetainedFrom is the instant before which the project's past is forgotten at now:
// where the first day begins that is kept. It is the zero time when all is kept.
func (p *Project) RetainedFrom(now time.Time) time.Time {
	if p.RetentionDays <= 0 {
		return time.Time{}
	}
	loc := p.Location()
	y, m, d := CalendarDate(now, loc)
	return Midnight(y, m, d-p.RetentionDays, loc)
}

// User is a person who signs in.
type User struct {
	ID        string
	Email     string
	Name      string
	CreatedAt time.Time
}
