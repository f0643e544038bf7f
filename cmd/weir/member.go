package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
)

// printing is how a command prints an answer.
type printing struct {
	JSON bool `name:"json" help:"Print the server's answer as JSON."`
}

// print writes the answer: as it came with --json, otherwise as lines that table writes, with
// tabs between their cells.
func (p printing) print(stdout io.Writer, raw json.RawMessage, table func(w io.Writer) error) error {
	if p.JSON {
		_, err := fmt.Fprintf(stdout, "%s\n", strings.TrimSpace(string(raw)))
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	if err := table(w); err != nil {
		return err
	}
	return w.Flush()
}

// show asks the server and prints its answer.
func show[T any](ctx context.Context, r remote, p printing, method, path string, in any, stdout io.Writer, table func(w io.Writer, answer T)) error {
	var raw json.RawMessage
	if err := r.call(ctx, method, path, in, &raw); err != nil {
		return err
	}
	return p.print(stdout, raw, func(w io.Writer) error {
		var answer T
		if err := json.Unmarshal(raw, &answer); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		table(w, answer)
		return nil
	})
}

// memberCmd is "weir member".
type memberCmd struct {
	List   memberListCmd   `cmd:"" help:"List who has a role in a project."`
	Add    memberAddCmd    `cmd:"" help:"Give somebody who has an account a role in a project."`
	Set    memberSetCmd    `cmd:"" help:"Change a member's role."`
	Remove memberRemoveCmd `cmd:"" help:"Take a member off a project."`
}

// Help is shown below the usage.
func (*memberCmd) Help() string {
	return `A viewer reads numbers, an editor also sees people and changes alerts and actions, an admin also changes the project.

Examples:

    WEIR_TOKEN=… weir member list PROJECT
    WEIR_TOKEN=… weir member add PROJECT ada@example.org --role viewer
    WEIR_TOKEN=… weir member set PROJECT ada@example.org --role editor
    WEIR_TOKEN=… weir member remove PROJECT ada@example.org`
}

// memberLine is a member as the server lists one.
type memberLine struct{ ID, Email, Name, Role string }

func membersPath(project string) string {
	return "/api/v1/projects/" + url.PathEscape(project) + "/members"
}

type memberListCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" help:"Id of the project."`
}

// Help is shown below the usage.
func (*memberListCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir member list PROJECT`
}

// Run lists them.
func (c *memberListCmd) Run(ctx context.Context, stdout io.Writer) error {
	type answer struct{ Members []memberLine }
	return show(ctx, c.remote, c.printing, http.MethodGet, membersPath(c.Project), nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "USER\tEMAIL\tNAME\tROLE")
		for _, m := range a.Members {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.Email, m.Name, m.Role)
		}
	})
}

type memberAddCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" help:"Id of the project."`
	Email    string `arg:"" help:"Address of somebody who has an account."`
	Role     string `enum:"viewer,editor,admin" required:"" help:"What they may do: viewer, editor or admin."`
}

// Help is shown below the usage.
func (*memberAddCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir member add PROJECT ada@example.org --role viewer`
}

// Run adds the member.
func (c *memberAddCmd) Run(ctx context.Context, stdout io.Writer) error {
	in := map[string]any{"email": c.Email, "role": c.Role}
	return show(ctx, c.remote, c.printing, http.MethodPost, membersPath(c.Project), in, stdout, printMember)
}

func printMember(w io.Writer, m memberLine) {
	fmt.Fprintf(w, "user\t%s\nemail\t%s\nrole\t%s\n", m.ID, m.Email, m.Role)
}

type memberSetCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" help:"Id of the project."`
	Member   string `arg:"" help:"Address or id of the member."`
	Role     string `enum:"viewer,editor,admin" required:"" help:"What they may do: viewer, editor or admin."`
}

// Help is shown below the usage.
func (*memberSetCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir member set PROJECT ada@example.org --role editor`
}

// Run changes the role.
func (c *memberSetCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, err := c.personPath(ctx, membersPath(c.Project), "members", c.Member)
	if err != nil {
		return err
	}
	return show(ctx, c.remote, c.printing, http.MethodPatch, path, map[string]any{"role": c.Role}, stdout, printMember)
}

type memberRemoveCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Member  string `arg:"" help:"Address or id of the member."`
}

// Help is shown below the usage.
func (*memberRemoveCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir member remove PROJECT ada@example.org`
}

// Run removes the member.
func (c *memberRemoveCmd) Run(ctx context.Context) error {
	path, err := c.personPath(ctx, membersPath(c.Project), "members", c.Member)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, path, nil, nil)
}

// personPath returns the path of one of the people whom the path lists under a name: the one
// with the address or the id.
func (r remote) personPath(ctx context.Context, path, list, who string) (string, error) {
	if !strings.Contains(who, "@") {
		return path + "/" + url.PathEscape(who), nil
	}
	var answer map[string][]memberLine
	if err := r.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return "", err
	}
	for _, m := range answer[list] {
		if strings.EqualFold(m.Email, who) {
			return path + "/" + url.PathEscape(m.ID), nil
		}
	}
	return "", fmt.Errorf("%s is not among the %s", who, list)
}
