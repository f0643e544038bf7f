package weir

import "time"

// Project is a tenant.
type Project struct {
	ID        string // short, URL-safe
	Name      string
	Timezone  string // IANA name; fixed when the project is made
	CreatedAt time.Time
	// StoreIP keeps the visitor's address in the event's properties.
	StoreIP bool

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

// Role is what a user may do in a project. Roles are ordered: each may do all
// that the one before may.
type Role int

// The roles, from least to most.
const (
	RoleNone Role = iota
	RoleViewer
	RoleEditor
	RoleAdmin
	RoleOwner
)

var roleNames = [...]string{"none", "viewer", "editor", "admin", "owner"}

func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return "none"
	}
	return roleNames[r]
}

// ParseRole is the inverse of Role.String; ok is false for an unknown name.
func ParseRole(s string) (r Role, ok bool) {
	for i, n := range roleNames {
		if n == s {
			return Role(i), true
		}
	}
	return RoleNone, false
}

// User is a person who signs in.
type User struct {
	ID        string
	Email     string
	Name      string
	CreatedAt time.Time
}
