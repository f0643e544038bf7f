package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// adminCmd is "weir admin".
type adminCmd struct {
	List     adminListCmd     `cmd:"" help:"List the administrators of the server."`
	Add      adminAddCmd      `cmd:"" help:"Make somebody who has an account an administrator."`
	Remove   adminRemoveCmd   `cmd:"" help:"Make an administrator an ordinary user."`
	HandOver adminHandOverCmd `cmd:"" help:"Make another administrator the owner."`
}

// Help is shown below the usage.
func (*adminCmd) Help() string {
	return `Administrators may do everything in all projects. The first one is the owner, whose rights nobody can take away.

Examples:

    WEIR_TOKEN=… weir admin list
    WEIR_TOKEN=… weir admin add ada@example.org
    WEIR_TOKEN=… weir admin remove ada@example.org
    WEIR_TOKEN=… weir admin hand-over ada@example.org`
}

const adminsPath = "/api/v1/admins"

type adminLine struct {
	memberLine
	Owner bool
}

type adminListCmd struct {
	remote   `embed:""`
	printing `embed:""`
}

// Help is shown below the usage.
func (*adminListCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir admin list`
}

// Run lists them.
func (c *adminListCmd) Run(ctx context.Context, stdout io.Writer) error {
	type answer struct{ Admins []adminLine }
	return show(ctx, c.remote, c.printing, http.MethodGet, adminsPath, nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "USER\tEMAIL\tNAME\tOWNER")
		for _, m := range a.Admins {
			owner := ""
			if m.Owner {
				owner = "owner"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, m.Email, m.Name, owner)
		}
	})
}

type adminAddCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Email    string `arg:"" help:"Address of somebody who has an account."`
}

// Help is shown below the usage.
func (*adminAddCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir admin add ada@example.org`
}

// Run adds the administrator.
func (c *adminAddCmd) Run(ctx context.Context, stdout io.Writer) error {
	return show(ctx, c.remote, c.printing, http.MethodPost, adminsPath, map[string]any{"email": c.Email}, stdout, func(w io.Writer, a adminLine) {
		fmt.Fprintf(w, "user\t%s\nemail\t%s\n", a.ID, a.Email)
	})
}

type adminRemoveCmd struct {
	remote `embed:""`
	Admin  string `arg:"" help:"Address or id of the administrator."`
}

// Help is shown below the usage.
func (*adminRemoveCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir admin remove ada@example.org`
}

// Run removes the administrator.
func (c *adminRemoveCmd) Run(ctx context.Context) error {
	path, err := c.personPath(ctx, adminsPath, "admins", c.Admin)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, path, nil, nil)
}

type adminHandOverCmd struct {
	remote `embed:""`
	Admin  string `arg:"" help:"Address or id of the administrator who becomes the owner."`
}

// Help is shown below the usage.
func (*adminHandOverCmd) Help() string {
	return `It takes the server's admin token. The owner before stays an administrator.

Example:

    WEIR_TOKEN=… weir admin hand-over ada@example.org`
}

// Run makes another administrator the owner.
func (c *adminHandOverCmd) Run(ctx context.Context) error {
	path, err := c.personPath(ctx, adminsPath, "admins", c.Admin)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path+"/owner", nil, nil)
}
