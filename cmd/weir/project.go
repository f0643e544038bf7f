package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	weir "github.com/weir-analytics/weir"
)

// projectCmd is "weir project".
type projectCmd struct {
	Create projectCreateCmd `cmd:"" help:"Make a project and print its write key."`
	List   projectListCmd   `cmd:"" help:"List the projects."`
	Set    projectSetCmd    `cmd:"" help:"Change how long a project's events are kept, how many it may bring in, its sites and URL rules, whose events it leaves out and what a bot is."`

	Delete    projectDeleteCmd    `cmd:"" help:"Delete a project and all that it has."`
	Deletions projectDeletionsCmd `cmd:"" help:"List projects that are being deleted, or were."`

	Names    projectNamesCmd    `cmd:"" help:"List the names of a project's events, with counts."`
	Columns  projectColumnsCmd  `cmd:"" help:"List what questions about a project may name: columns, properties, traits."`
	Describe projectDescribeCmd `cmd:"" help:"Describe or hide an event or a column."`
}

// Help is shown below the usage.
func (*projectCmd) Help() string {
	return `Examples:

    weir project create "My shop" --timezone Europe/Berlin --token TOKEN
    WEIR_TOKEN=… weir project list
    WEIR_TOKEN=… weir project set PROJECT --retention-days 90
    WEIR_TOKEN=… weir project set PROJECT --quota 1000000 --over sample --sample 10`
}

type projectCreateCmd struct {
	remote   `embed:""`
	Name     string `arg:"" help:"Its name."`
	Timezone string `default:"UTC" help:"IANA name; days begin in it."`

	RetentionDays int `placeholder:"N" help:"Days before today that its events are kept for; 0, the default, is for ever."`
}

// Help is shown below the usage.
func (*projectCreateCmd) Help() string {
	return `Example:

    weir project create "My shop" --timezone Europe/Berlin --token TOKEN`
}

// Run makes the project.
func (c *projectCreateCmd) Run(ctx context.Context, stdout io.Writer) error {
	var p struct {
		ID, Name, Timezone string
		WriteKey           string `json:"write_key"`
	}
	in := map[string]any{"name": c.Name, "timezone": c.Timezone, "retention_days": c.RetentionDays}
	if err := c.call(ctx, http.MethodPost, "/api/v1/projects", in, &p); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "project    %s\nname       %s\ntimezone   %s\nwrite key  %s\n", p.ID, p.Name, p.Timezone, p.WriteKey)
	return err
}

type projectListCmd struct {
	remote `embed:""`
}

// Help is shown below the usage.
func (*projectListCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir project list`
}

// Run lists them.
func (c *projectListCmd) Run(ctx context.Context, stdout io.Writer) error {
	var list struct {
		Projects []struct {
			ID, Name, Timezone string
			RetentionDays      int `json:"retention_days"`
			Sites              []string
			Counters           countersBody
		}
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/projects", nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROJECT\tNAME\tTIMEZONE\tKEPT\tSITES")
	for _, p := range list.Projects {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, timezone(p.Timezone, p.Counters), kept(p.RetentionDays), sites(p.Sites))
	}
	return w.Flush()
}

// countersBody is the state of a project's counters.
type countersBody struct {
	State   string
	Percent int
}

// timezone returns a project's timezone, and how far its counters are rebuilt.
func timezone(name string, c countersBody) string {
	if c.State == "rebuilding" {
		return fmt.Sprintf("%s, counters are rebuilding: %d %%", name, c.Percent)
	}
	return name
}

// kept says how long a project's events are kept.
func kept(days int) string {
	switch days {
	case 0:
		return "for ever"
	case 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", days)
}

type projectSetCmd struct {
	remote        `embed:""`
	Project       string  `arg:"" help:"Id of the project."`
	Name          *string `help:"Another name."`
	Timezone      string  `placeholder:"NAME" help:"IANA name, such as Europe/Berlin. Days begin in it; the counters of the past are counted again."`
	RetentionDays *int    `placeholder:"N" help:"Days before today that its events are kept for; 0 is for ever. What is older is deleted within the hour."`
	limitFlags    `embed:""`
	siteFlags     `embed:""`
	urlFlags      `embed:""`
	filterFlags   `embed:""`
}

// Help is shown below the usage.
func (*projectSetCmd) Help() string {
	return `What is not given stays as it is.

Examples:

    WEIR_TOKEN=… weir project set PROJECT --name "My other shop"
    WEIR_TOKEN=… weir project set PROJECT --retention-days 90
    WEIR_TOKEN=… weir project set PROJECT --timezone Europe/Berlin
    WEIR_TOKEN=… weir project set PROJECT --limit-key 1000/s --limit-ip 600/m
    WEIR_TOKEN=… weir project set PROJECT --quota 1000000 --over sample --sample 10
    WEIR_TOKEN=… weir project set PROJECT --site shop.example --site blog.shop.example
    WEIR_TOKEN=… weir project set PROJECT --url-strip-slash --url-rule '/product/*=/product/:id'
    WEIR_TOKEN=… weir project set PROJECT --filter-address 203.0.113.0/24 --filter-address 2001:db8:5::/48
    WEIR_TOKEN=… weir project set PROJECT --bot-events drop --not-bot-agent Acme-Uptime`
}

// Run changes it.
func (c *projectSetCmd) Run(ctx context.Context, stdout io.Writer) error {
	var p struct {
		ID            string
		RetentionDays int `json:"retention_days"`
		limitsBody
		filtersBody
		Sites    []string
		URLRules weir.URLRules `json:"url_rules"`
		Timezone string
		Counters countersBody
	}
	in := map[string]any{}
	if c.Timezone != "" {
		in["timezone"] = c.Timezone
	}
	if c.Name != nil {
		in["name"] = *c.Name
	}
	if c.RetentionDays != nil {
		in["retention_days"] = *c.RetentionDays
	}
	c.limitFlags.into(in)
	c.siteFlags.into(in)
	c.filterFlags.into(in)
	if err := c.urlFlags.into(in); err != nil {
		return err
	}
	if len(in) == 0 {
		return misuse(errors.New("say what to change: --name, --timezone, --retention-days, --limit-key, --limit-ip, --quota, --over, --sample, --site, --no-sites, --url-rule, --url-strip-slash, --url-lower-case, --no-url-rules, --filter-address, --no-address-filters, --bot-events, --bot-agent, --not-bot-agent or --no-bot-agents"))
	}
	if err := c.call(ctx, http.MethodPatch, "/api/v1/projects/"+url.PathEscape(c.Project), in, &p); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "project              %s\ntimezone             %s\nkept                 %s\n%vsites                %s\nurl rules            %s\n%v",
		p.ID, timezone(p.Timezone, p.Counters), kept(p.RetentionDays), p.limitsBody, cmp.Or(strings.Join(p.Sites, ", "), "none"), urlLines(p.URLRules), p.filtersBody)
	return err
}

// keyCmd is "weir key".
type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make a write key for a project and print it, this once."`
	List   keyListCmd   `cmd:"" help:"List a project's write keys by their last characters."`
	Set    keySetCmd    `cmd:"" help:"Hold a write key to the pages of some hosts."`
	Rotate keyRotateCmd `cmd:"" help:"Make a write key in the place of another, which stays good for a while."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke a write key."`
}

// Help is shown below the usage.
func (*keyCmd) Help() string {
	return `Examples:

    weir key create PROJECT
    weir key create PROJECT --origin shop.example --origin '*.shop.example'
    weir key list PROJECT
    weir key set PROJECT KEY-ID --origin shop.example
    weir key rotate PROJECT KEY-ID --overlap 72h
    weir key revoke PROJECT KEY-ID`
}

type keyCreateCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`

	Origin []string `placeholder:"HOST" help:"A host whose pages may send with it. May be given many times; without it everybody who has the key may send."`
}

// Help is shown below the usage.
func (*keyCreateCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir key create PROJECT`
}

// Run makes the key.
func (c *keyCreateCmd) Run(ctx context.Context, stdout io.Writer) error {
	var k struct {
		WriteKey string `json:"write_key"`
	}
	if err := c.call(ctx, http.MethodPost, keysPath(c.Project), map[string]any{"origins": append([]string{}, c.Origin...)}, &k); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, k.WriteKey)
	return err
}

type keyListCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
}

// Help is shown below the usage.
func (*keyListCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir key list PROJECT`
}

// Run lists the keys.
func (c *keyListCmd) Run(ctx context.Context, stdout io.Writer) error {
	var list struct {
		Keys []struct {
			ID        string
			Last4     string `json:"last4"`
			CreatedAt string `json:"created_at"`
			RevokedAt string `json:"revoked_at"`
			Origins   []string
		}
	}
	if err := c.call(ctx, http.MethodGet, keysPath(c.Project), nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tENDS WITH\tMADE\tSTATE\tORIGINS")
	for _, k := range list.Keys {
		state := "good"
		if k.RevokedAt != "" {
			state = "ended " + k.RevokedAt
			if at, err := time.Parse(time.RFC3339, k.RevokedAt); err == nil && at.After(time.Now()) {
				state = "ends " + k.RevokedAt
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Last4, k.CreatedAt, state, cmp.Or(sites(k.Origins), "any"))
	}
	return w.Flush()
}

type keySetCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Key     string `arg:"" help:"Id of the key, as list shows it."`

	Origin    []string `placeholder:"HOST" xor:"origins" required:"" help:"A host whose pages may send with it: shop.example, *.shop.example, localhost:3000. May be given many times; these replace those it had."`
	NoOrigins bool     `xor:"origins" required:"" help:"Let everybody who has the key send with it."`
}

// Help is shown below the usage.
func (*keySetCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir key set PROJECT KEY-ID --origin shop.example --origin '*.shop.example'`
}

// Run changes the key.
func (c *keySetCmd) Run(ctx context.Context) error {
	in := map[string]any{"origins": append([]string{}, c.Origin...)}
	return c.call(ctx, http.MethodPatch, keysPath(c.Project)+"/"+url.PathEscape(c.Key), in, nil)
}

type keyRotateCmd struct {
	remote  `embed:""`
	Project string        `arg:"" help:"Id of the project."`
	Key     string        `arg:"" help:"Id of the key, as list shows it."`
	Overlap time.Duration `default:"24h" help:"How long the key stays good, such as 72h or 30m; 0 ends it at once."`
}

// Help is shown below the usage.
func (*keyRotateCmd) Help() string {
	return `It prints the new key, this once.

Example:

    WEIR_TOKEN=… weir key rotate PROJECT KEY-ID --overlap 72h`
}

// Run rotates the key.
func (c *keyRotateCmd) Run(ctx context.Context, stdout io.Writer) error {
	var k struct {
		WriteKey string `json:"write_key"`
	}
	in := map[string]any{"overlap_seconds": int64(c.Overlap.Seconds())}
	if err := c.call(ctx, http.MethodPost, keysPath(c.Project)+"/"+url.PathEscape(c.Key)+"/rotate", in, &k); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, k.WriteKey)
	return err
}

type keyRevokeCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Key     string `arg:"" help:"Id of the key, as list shows it."`
}

// Help is shown below the usage.
func (*keyRevokeCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir key revoke PROJECT KEY-ID`
}

// Run revokes the key.
func (c *keyRevokeCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, keysPath(c.Project)+"/"+url.PathEscape(c.Key), nil, nil)
}

func keysPath(project string) string { return "/api/v1/projects/" + url.PathEscape(project) + "/keys" }
