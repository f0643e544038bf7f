package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"unicode"
)

// discoveryFlags say which part of a list is shown.
type discoveryFlags struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	From    string `help:"Begin of the range, as in a query; the last 30 days when missing."`
	To      string `help:"Its end."`
	Q       string `name:"q" placeholder:"TEXT" help:"Part of the name; case counts."`
	Limit   int    `default:"100" help:"Most rows, up to 1000."`
	Hidden  bool   `help:"Also what is hidden."`
}

// list asks for a list below the project and reads it.
func (c *discoveryFlags) list(ctx context.Context, what string, more url.Values, into any) error {
	q := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	for name, value := range map[string]string{"from": c.From, "to": c.To, "q": c.Q} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if c.Hidden {
		q.Set("hidden", "true")
	}
	maps.Copy(q, more)
	return c.call(ctx, http.MethodGet, "/api/v1/projects/"+url.PathEscape(c.Project)+"/"+what+"?"+q.Encode(), nil, into)
}

// wording is what people wrote about a row.
type wording struct {
	Description string
	Hidden      bool
}

func (d wording) String() string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' ' // a line break, or what a terminal would obey
		}
		return r
	}, d.Description)
	if d.Hidden {
		text = strings.TrimSpace("(hidden) " + text)
	}
	return text
}

type projectNamesCmd struct {
	discoveryFlags `embed:""`
}

// Help is shown below the usage.
func (*projectNamesCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir project names PROJECT
    WEIR_TOKEN=… weir project names PROJECT --from -7d --q sign`
}

// Run lists the names of events.
func (c *projectNamesCmd) Run(ctx context.Context, stdout io.Writer) error {
	var list struct {
		Names []struct {
			Name     string
			Count    int64
			LastSeen string `json:"last_seen"`
			wording
		}
	}
	if err := c.list(ctx, "names", nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EVENT\tCOUNT\tLAST SEEN\tDESCRIPTION")
	for _, n := range list.Names {
		fmt.Fprintf(w, "%q\t%d\t%s\t%s\n", n.Name, n.Count, n.LastSeen, n.wording)
	}
	return w.Flush()
}

type projectColumnsCmd struct {
	discoveryFlags `embed:""`
	Event          string `placeholder:"NAME" help:"Properties of the events of this name."`
}

// Help is shown below the usage.
func (*projectColumnsCmd) Help() string {
	return `Properties are found in the newest 5,000 events of the range.

Examples:

    WEIR_TOKEN=… weir project columns PROJECT
    WEIR_TOKEN=… weir project columns PROJECT --event signup --q properties.`
}

// Run lists what a question may name.
func (c *projectColumnsCmd) Run(ctx context.Context, stdout io.Writer) error {
	var list struct {
		Columns []struct {
			Name, Type string
			Uses       []string
			wording
		}
	}
	more := url.Values{}
	if c.Event != "" {
		more.Set("event", c.Event)
	}
	if err := c.list(ctx, "columns", more, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COLUMN\tTYPE\tUSES\tDESCRIPTION")
	for _, n := range list.Columns {
		fmt.Fprintf(w, "%q\t%s\t%s\t%s\n", n.Name, n.Type, strings.Join(n.Uses, ", "), n.wording)
	}
	return w.Flush()
}

type projectDescribeCmd struct {
	remote  `embed:""`
	Project string  `arg:"" help:"Id of the project."`
	What    string  `arg:"" enum:"event,column" help:"event or column."`
	Name    string  `arg:"" help:"Name of the events, or a column, properties.NAME or traits.NAME."`
	Text    *string `placeholder:"TEXT" help:"The description; empty takes it away."`
	Hide    bool    `xor:"hidden" help:"Leave it out of lists."`
	Show    bool    `xor:"hidden" help:"List it again."`
}

// Help is shown below the usage.
func (*projectDescribeCmd) Help() string {
	return `What is not given stays as it is.

Examples:

    WEIR_TOKEN=… weir project describe PROJECT event signup --text "made an account"
    WEIR_TOKEN=… weir project describe PROJECT column properties.debug --hide`
}

// Run describes or hides it.
func (c *projectDescribeCmd) Run(ctx context.Context, stdout io.Writer) error {
	in := map[string]any{}
	if c.Text != nil {
		in["description"] = *c.Text
	}
	if c.Hide || c.Show {
		in["hidden"] = c.Hide
	}
	if len(in) == 0 {
		return misuse(errors.New("say what to change: --text, --hide or --show"))
	}
	list := map[string]string{"event": "names", "column": "columns"}[c.What]
	var out struct {
		Name string
		wording
	}
	if err := c.call(ctx, http.MethodPatch, "/api/v1/projects/"+url.PathEscape(c.Project)+"/"+list+"/"+url.PathEscape(c.Name), in, &out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "%-12s %q\n%-12s %s\n", c.What, out.Name, "description", out.wording)
	return err
}
