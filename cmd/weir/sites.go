package main

import (
	"fmt"
	"strings"
)

// siteFlags change the names that a project has besides its write keys.
type siteFlags struct {
	Site    []string `placeholder:"NAME" xor:"sites" help:"A name by which vendors' SDKs know the project: a domain, an id. May be given many times; the names replace those it had."`
	NoSites bool     `xor:"sites" help:"Take all such names from it."`
}

// into adds what is given to the body of a change.
func (f *siteFlags) into(body map[string]any) {
	switch {
	case f.NoSites:
		body["sites"] = []string{}
	case len(f.Site) > 0:
		body["sites"] = f.Site
	}
}

// sites returns a project's sites in a table: the first few.
func sites(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
