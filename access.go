package weir

import "strings"

// Scopes is a set of what one may do in a project. Each route of the API takes one scope.
type Scopes uint8

// The scopes.
const (
	ScopeRead    Scopes = 1 << iota // read numbers and settings
	ScopePersons                    // read about single persons: profiles, events with their ids, traits
	ScopeWrite                      // change what belongs to reading: alerts, actions, descriptions, reports
	ScopeIngest                     // send events
	ScopeAdmin                      // change the project, its members, keys and tokens, and erase profiles

	// AllScopes has every scope.
	AllScopes = ScopeRead | ScopePersons | ScopeWrite | ScopeIngest | ScopeAdmin
)

// scopeNames are in the order of the bits.
var scopeNames = [...]string{"read", "persons", "write", "ingest", "admin"}

// ScopeNames returns the names of all scopes.
func ScopeNames() []string { return scopeNames[:] }

// Has reports whether all of other are in the set.
func (s Scopes) Has(other Scopes) bool { return s&other == other }

// Names returns the names of the scopes in the set, in a fixed order.
func (s Scopes) Names() []string {
	names := []string{}
	for i, n := range scopeNames {
		if s.Has(1 << i) {
			names = append(names, n)
		}
	}
	return names
}

// String returns the names with commas between them: what ParseScopes reads.
func (s Scopes) String() string { return strings.Join(s.Names(), ",") }

// Role returns the greatest role that may do no more than the set, for people to read:
// viewer for a set that is less than any role.
func (s Scopes) Role() Role {
	for r := RoleAdmin; r > RoleViewer; r-- {
		if s.Has(r.Scopes()) {
			return r
		}
	}
	return RoleViewer
}

// ParseScopes returns the set with the names. Error: EINVALID for an unknown name.
func ParseScopes(names ...string) (Scopes, error) {
	var s Scopes
names:
	for _, name := range names {
		for i, n := range scopeNames {
			if n == name {
				s |= 1 << i
				continue names
			}
		}
		return 0, Errorf(EINVALID, "unknown scope %.40q: use %s", name, strings.Join(scopeNames[:], ", "))
	}
	return s, nil
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
)

var roleNames = [...]string{"none", "viewer", "editor", "admin"}

// Scopes returns what the role may do.
func (r Role) Scopes() Scopes {
	switch r {
	case RoleViewer:
		return ScopeRead
	case RoleEditor:
		return ScopeRead | ScopePersons | ScopeWrite
	case RoleAdmin:
		return AllScopes
	}
	return 0
}

// LeastRole returns the least role that may do all of the set.
func LeastRole(s Scopes) Role {
	r := RoleViewer
	for r < RoleAdmin && !r.Scopes().Has(s) {
		r++
	}
	return r
}

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
