package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// auditCmd is "weir audit".
type auditCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" optional:"" help:"Id of a project; without it, all acts on the server."`
	From     string `help:"Begin of the range, as in a query."`
	To       string `help:"Its end."`
	Act      string `placeholder:"ACT" help:"Only these acts: key.revoke, or key for all acts on keys."`
	User     string `placeholder:"ID" help:"Only what this user did."`
	Refused  bool   `help:"Only what was refused."`
	Limit    int    `default:"100" help:"Most entries, up to 1000."`
	Cursor   string `placeholder:"CURSOR" help:"Go on where the page before ended, as its last line says."`
}

// Help is shown below the usage.
func (*auditCmd) Help() string {
	return `Who did what, to what, when and from where; newest first.

Examples:

    WEIR_TOKEN=… weir audit
    WEIR_TOKEN=… weir audit PROJECT --act key --from -30d
    WEIR_TOKEN=… weir audit --act sign-in --refused --json`
}

// Run lists the acts.
func (c *auditCmd) Run(ctx context.Context, stdout io.Writer) error {
	q := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	for name, value := range map[string]string{"from": c.From, "to": c.To, "act": c.Act, "user": c.User, "cursor": c.Cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Refused {
		q.Set("refused", "true")
	}
	path := "/api/v1/audit?"
	if c.Project != "" {
		path = "/api/v1/projects/" + url.PathEscape(c.Project) + "/audit?"
	}
	type answer struct {
		Entries []struct {
			At, Act, User, Token, Name, Via, Project, Target, Address string
			Refused                                                   bool
			Detail                                                    map[string]string
		}
		NextCursor string `json:"next_cursor"`
	}
	return show(ctx, c.remote, c.printing, http.MethodGet, path+q.Encode(), nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "AT\tACT\tWHO\tVIA\tFROM\tPROJECT\tTARGET\tDETAIL")
		for _, e := range a.Entries {
			act := e.Act
			if e.Refused {
				act += " (refused)"
			}
			var detail []string
			for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
				detail = append(detail, name+"="+e.Detail[name])
			}
			who := cmp.Or(e.Name, e.User, e.Token, "–")
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.At, act, who, e.Via, e.Address, e.Project, e.Target, strings.Join(detail, " "))
		}
		if a.NextCursor != "" {
			fmt.Fprintln(w, "more: --cursor "+a.NextCursor)
		}
	})
}
