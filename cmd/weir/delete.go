package main

import (
	"context"
	"encoding/json"
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

// deleteCmd is "weir delete".
type deleteCmd struct {
	remote  `embed:""`
	asking  `embed:""`
	Project string   `required:"" env:"WEIR_PROJECT" help:"Id of the project."`
	Filter  []string `placeholder:"TEST" sep:"none" help:"A test such as name=signup, path!=/a, properties.plan=pro, status>499 or path~/blog (contains). Several must all hold."`
	From    string   `help:"Begin of the range, as in a query."`
	To      string   `help:"Its end."`
	Import  string   `placeholder:"ID" help:"Only events of this import: undoes it."`
	DryRun  bool     `name:"dry-run" help:"Only count the events."`
	NoWait  bool     `name:"no-wait" help:"Do not wait until it is done."`
	List    bool     `help:"List the project's deletions instead."`
	Cancel  string   `placeholder:"ID" help:"Cancel a deletion that has not begun to delete instead."`
	JSON    bool     `name:"json" help:"Print the answer as JSON."`
}

// Help is shown below the usage.
func (*deleteCmd) Help() string {
	return `Deletes events as if they had never come. Visits, counters, answers and reports follow. It cannot be undone. docs/deletions.md says what stays.

Examples:

    weir delete --project PROJECT --filter name=test --dry-run
    weir delete --project PROJECT --filter name=test --from 2026-03-01 --to 2026-03-02
    weir delete --project PROJECT --import access-2026-03-01 --yes
    weir delete --project PROJECT --list
    weir delete --project PROJECT --cancel ID`
}

// filterOps are the operators of a test, the longer ones first.
var filterOps = []struct{ text, op string }{{"!=", "!="}, {"=", "="}, {"~", "contains"}, {">", ">"}, {"<", "<"}}

// filterOf reads tests such as name=signup.
func filterOf(tests []string) (weir.Filter, error) {
	var out weir.Filter
	for _, test := range tests {
		at, by := -1, filterOps[0]
		for _, of := range filterOps {
			if i := strings.Index(test, of.text); i > 0 && (at < 0 || i < at) {
				at, by = i, of
			}
		}
		if at < 0 {
			return nil, misuse(fmt.Errorf("--filter %q: want a test such as name=signup", test))
		}
		out = append(out, weir.Condition{Column: strings.TrimSpace(test[:at]), Op: by.op, Values: []string{strings.TrimSpace(test[at+len(by.text):])}})
	}
	return out, nil
}

// deletionAnswer is a deletion as the server says it.
type deletionAnswer struct {
	ID                   string
	State, Failure       string
	Events, Visits, Days int64
	ImportID             string          `json:"import_id"`
	Filter               json.RawMessage `json:"filter"`
	ChangedAt            time.Time       `json:"changed_at"`
}

// Run counts, asks, and deletes.
func (c *deleteCmd) Run(ctx context.Context, stdout io.Writer, log logWriter) error {
	path := "/api/v1/projects/" + url.PathEscape(c.Project) + "/deletions"
	c.patience = 5 * time.Minute // what was received before is stored first
	if c.List {
		return c.list(ctx, path, stdout)
	}
	if c.Cancel != "" {
		var d deletionAnswer
		raw, err := c.ask(ctx, http.MethodDelete, path+"/"+url.PathEscape(c.Cancel), nil, &d)
		return errors.Join(err, c.print(stdout, raw, &d, err))
	}
	filter, err := filterOf(c.Filter)
	if err != nil {
		return err
	}
	body := map[string]any{"filter": filter, "from": c.From, "to": c.To, "import_id": c.Import}
	for name, v := range body {
		if v == "" || name == "filter" && len(filter) == 0 {
			delete(body, name)
		}
	}
	if len(body) == 0 {
		return misuse(errors.New("say which events: --filter, --from, --to or --import"))
	}
	body["dry_run"] = true
	var dry deletionAnswer
	raw, err := c.ask(ctx, http.MethodPost, path, body, &dry)
	if err != nil || c.DryRun || dry.Events == 0 {
		return errors.Join(err, c.print(stdout, raw, &dry, err))
	}
	question := fmt.Sprintf("Delete %d events of %d visits and %d days from the project %s? It cannot be undone. Type yes: ", dry.Events, dry.Visits, dry.Days, c.Project)
	if err := c.confirm(ctx, log, question, "nothing was deleted"); err != nil {
		return err
	}
	delete(body, "dry_run")
	body["confirm"] = dry.Events
	var d deletionAnswer
	if raw, err = c.ask(ctx, http.MethodPost, path, body, &d); err != nil {
		return err
	}
	for d.State == "running" && !c.NoWait {
		if err := waitFor(ctx, time.Second); err != nil {
			return fmt.Errorf("the deletion %s goes on without being watched: %w", d.ID, err)
		}
		if raw, err = c.ask(ctx, http.MethodGet, path+"/"+url.PathEscape(d.ID), nil, &d); err != nil {
			return err
		}
	}
	if err := c.print(stdout, raw, &d, nil); err != nil || d.State == "done" || c.NoWait {
		return err
	}
	return fmt.Errorf("no event was deleted: the deletion %s is %s %s", d.ID, d.State, d.Failure)
}

// ask is call, and returns the answer's JSON too.
func (c *deleteCmd) ask(ctx context.Context, method, path string, in any, out *deletionAnswer) (raw json.RawMessage, err error) {
	if err := c.call(ctx, method, path, in, &raw); err != nil {
		return nil, err
	}
	*out = deletionAnswer{}
	return raw, json.Unmarshal(raw, out)
}

func (c *deleteCmd) print(w io.Writer, raw json.RawMessage, d *deletionAnswer, err error) error {
	if err != nil {
		return nil
	}
	if c.JSON {
		_, err = fmt.Fprintf(w, "%s\n", raw)
		return err
	}
	_, err = fmt.Fprintf(w, "state   %s\nevents  %d\nvisits  %d\ndays    %d\n", d.State, d.Events, d.Visits, d.Days)
	if err == nil && d.ID != "" {
		_, err = fmt.Fprintf(w, "id      %s\n", d.ID)
	}
	return err
}

func (c *deleteCmd) list(ctx context.Context, path string, stdout io.Writer) error {
	var raw json.RawMessage
	if err := c.call(ctx, http.MethodGet, path, nil, &raw); err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintf(stdout, "%s\n", raw)
		return err
	}
	var list struct{ Deletions []deletionAnswer }
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tEVENTS\tSINCE\tIMPORT\tFILTER")
	for _, d := range list.Deletions {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.State, d.Events, d.ChangedAt.Format(time.RFC3339), d.ImportID, d.Filter)
	}
	return w.Flush()
}
