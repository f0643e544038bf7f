package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// shareCmd is "weir share".
type shareCmd struct {
	List   shareListCmd   `cmd:"" help:"List a project's shared links."`
	Create shareCreateCmd `cmd:"" help:"Make a shared link and print it."`
	Set    shareSetCmd    `cmd:"" help:"Change the password, the end or the sites of a shared link."`
	End    shareEndCmd    `cmd:"" help:"End a shared link."`
}

// Help is shown below the usage.
func (*shareCmd) Help() string {
	return `Who has a shared link sees one thing of a project, without an account and without people: the overview, or what happens now. Editors of the project make them.

Examples:

    WEIR_TOKEN=… weir share create PROJECT overview
    WEIR_TOKEN=… weir share create PROJECT live --days 30 --origin blog.example
    WEIR_TOKEN=… weir share list PROJECT
    WEIR_TOKEN=… weir share end PROJECT SHARE-ID`
}

func sharesPath(project string) string {
	return "/api/v1/projects/" + url.PathEscape(project) + "/shares"
}

// shareLine is a shared link as the server lists one.
type shareLine struct {
	ID, What, URL string
	Password      bool
	Origins       []string
	EndsAt        string                 `json:"ends_at"`
	CreatedAt     string                 `json:"created_at"`
	CreatedBy     struct{ Email string } `json:"created_by"`
	LastUsedAt    string                 `json:"last_used_at"`
}

// sharePassword says where the password of a shared link is: not on the command line, which other
// users of the machine can read.
type sharePassword struct {
	PasswordFile string `placeholder:"FILE" help:"File with the password that the link takes too, at least 10 characters; - is the standard input."`
}

func (p sharePassword) read() (string, error) {
	if p.PasswordFile == "" {
		return "", nil
	}
	var text []byte
	var err error
	if p.PasswordFile == "-" {
		text, err = io.ReadAll(io.LimitReader(os.Stdin, 1<<16))
	} else {
		text, err = os.ReadFile(p.PasswordFile)
	}
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", misuse(fmt.Errorf("--password-file %s is empty", p.PasswordFile))
	}
	return password, nil
}

type shareListCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" help:"Id of the project."`
}

// Help is shown below the usage.
func (*shareListCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir share list PROJECT
    WEIR_TOKEN=… weir share list PROJECT --json`
}

// Run lists them.
func (c *shareListCmd) Run(ctx context.Context, stdout io.Writer) error {
	type answer struct{ Shares []shareLine }
	return show(ctx, c.remote, c.printing, http.MethodGet, sharesPath(c.Project), nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "SHARE\tSHOWS\tLINK\tPASSWORD\tSITES\tMADE\tBY\tENDS\tLAST USED")
		for _, x := range a.Shares {
			password := "no"
			if x.Password {
				password = "yes"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.What, cmp.Or(x.URL, "cannot be shown"), password, cmp.Or(strings.Join(x.Origins, ","), "none"),
				x.CreatedAt, cmp.Or(x.CreatedBy.Email, "a token"), cmp.Or(x.EndsAt, "never"), cmp.Or(x.LastUsedAt, "never"))
		}
	})
}

type shareCreateCmd struct {
	remote        `embed:""`
	printing      `embed:""`
	sharePassword `embed:""`
	Project       string   `arg:"" help:"Id of the project."`
	What          string   `arg:"" enum:"overview,live" help:"What it shows: overview or live."`
	Origin        []string `placeholder:"HOST" help:"Host of pages that may embed it, such as blog.example, *.blog.example or localhost:3000. May be given many times."`
	Days          int      `placeholder:"N" help:"Days from now until it ends; without it, it does not end."`
}

// Help is shown below the usage.
func (*shareCreateCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir share create PROJECT overview
    WEIR_TOKEN=… weir share create PROJECT live --days 30 --origin blog.example
    WEIR_TOKEN=… weir share create PROJECT overview --password-file board.txt`
}

// Run makes the link.
func (c *shareCreateCmd) Run(ctx context.Context, stdout io.Writer) error {
	in := map[string]any{"what": c.What, "origins": append([]string{}, c.Origin...)}
	password, err := c.read()
	if err != nil {
		return err
	}
	if password != "" {
		in["password"] = password
	}
	if c.Days > 0 {
		in["ends_at"] = inDays(c.Days)
	}
	return show(ctx, c.remote, c.printing, http.MethodPost, sharesPath(c.Project), in, stdout, func(w io.Writer, x shareLine) {
		fmt.Fprintln(w, x.URL)
	})
}

func inDays(n int) string { return time.Now().AddDate(0, 0, n).UTC().Format(time.RFC3339) }

type shareSetCmd struct {
	remote        `embed:""`
	printing      `embed:""`
	sharePassword `embed:""`
	Project       string   `arg:"" help:"Id of the project."`
	Share         string   `arg:"" name:"share-id" help:"Id of the link, as list shows it."`
	NoPassword    bool     `help:"Take the password off."`
	Origin        []string `xor:"origins" placeholder:"HOST" help:"Hosts of pages that may embed it, in the place of those before. May be given many times."`
	NoOrigins     bool     `xor:"origins" help:"No page may embed it."`
	Days          int      `xor:"end" placeholder:"N" help:"Days from now until it ends."`
	NoEnd         bool     `xor:"end" help:"It does not end."`
}

// Help is shown below the usage.
func (*shareSetCmd) Help() string {
	return `What is not given stays.

Examples:

    WEIR_TOKEN=… weir share set PROJECT SHARE-ID --days 30
    WEIR_TOKEN=… weir share set PROJECT SHARE-ID --origin blog.example --origin '*.shop.example'
    WEIR_TOKEN=… weir share set PROJECT SHARE-ID --no-password`
}

// Run changes the link.
func (c *shareSetCmd) Run(ctx context.Context, stdout io.Writer) error {
	in := map[string]any{}
	password, err := c.read()
	if err != nil {
		return err
	}
	if password != "" {
		in["password"] = password
	}
	if c.NoPassword {
		in["no_password"] = true
	}
	if len(c.Origin) > 0 || c.NoOrigins {
		in["origins"] = append([]string{}, c.Origin...)
	}
	if c.Days > 0 {
		in["ends_at"] = inDays(c.Days)
	}
	if c.NoEnd {
		in["no_end"] = true
	}
	if len(in) == 0 {
		return misuse(fmt.Errorf("say what changes: --password-file, --no-password, --origin, --no-origins, --days or --no-end"))
	}
	return show(ctx, c.remote, c.printing, http.MethodPatch, sharesPath(c.Project)+"/"+url.PathEscape(c.Share), in, stdout, func(w io.Writer, x shareLine) {
		fmt.Fprintln(w, cmp.Or(x.URL, x.ID))
	})
}

type shareEndCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Share   string `arg:"" name:"share-id" help:"Id of the link, as list shows it."`
}

// Help is shown below the usage.
func (*shareEndCmd) Help() string {
	return `It shows nothing from then on, and its live streams end.

Example:

    WEIR_TOKEN=… weir share end PROJECT SHARE-ID`
}

// Run ends the link.
func (c *shareEndCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, sharesPath(c.Project)+"/"+url.PathEscape(c.Share), nil, nil)
}
