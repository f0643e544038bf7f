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
	"time"
)

// userCmd is "weir user".
type userCmd struct {
	List       userListCmd       `cmd:"" help:"List the accounts."`
	Invite     userInviteCmd     `cmd:"" help:"Invite somebody to a project, or to be an administrator of the server, and print the link."`
	Reset      userResetCmd      `cmd:"" help:"Make a link by which somebody chooses a new password, and print it."`
	Deactivate userDeactivateCmd `cmd:"" help:"Deactivate an account: it may not sign in, and its sessions end."`
	Activate   userActivateCmd   `cmd:"" help:"Let a deactivated account sign in again."`
	ResetTOTP  userResetTOTPCmd  `cmd:"" name:"reset-totp" help:"Remove somebody's second factor, after they lost it."`
	SignOut    userSignOutCmd    `cmd:"" help:"End all sessions of an account."`
}

// Help is shown below the usage.
func (*userCmd) Help() string {
	return `USER is the mail address of an account, or its id.

Examples:

    WEIR_TOKEN=… weir user list
    WEIR_TOKEN=… weir user invite ada@example.org --project PROJECT --role viewer
    WEIR_TOKEN=… weir user invite root@example.org --admin
    WEIR_TOKEN=… weir user reset ada@example.org
    WEIR_TOKEN=… weir user deactivate ada@example.org`
}

// users is a server that is asked about accounts.
type users struct {
	remote `embed:""`
	JSON   bool `name:"json" env:"WEIR_JSON" help:"Print the answer as JSON."`
}

// account is an account as the server describes it.
type account struct {
	ID, Email, Name string
	Admin, Active   bool
	SecondFactor    bool      `json:"second_factor"`
	CreatedAt       time.Time `json:"created_at"`
}

// state says what an account may do.
func (a account) state() string {
	if !a.Active {
		return "deactivated"
	}
	return "active"
}

// find returns the path of an account, by its id or its address.
func (u users) find(ctx context.Context, user string) (string, error) {
	if !strings.Contains(user, "@") {
		return "/api/admin/users/" + url.PathEscape(user), nil
	}
	var list struct{ Users []account }
	if err := u.call(ctx, http.MethodGet, "/api/admin/users", nil, &list); err != nil {
		return "", err
	}
	for _, a := range list.Users {
		if strings.EqualFold(a.Email, strings.TrimSpace(user)) {
			return "/api/admin/users/" + url.PathEscape(a.ID), nil
		}
	}
	return "", fmt.Errorf("no account has the address %s", user)
}

// ask sends a request about a user and prints the answer: as JSON if that is wanted, and as
// text by show, after it is decoded into into.
func (u users) ask(ctx context.Context, stdout io.Writer, method, path string, in, into any, show func() error) error {
	var raw json.RawMessage
	out := any(&raw)
	if into == nil {
		out = nil
	}
	if err := u.call(ctx, method, path, in, out); err != nil {
		return err
	}
	switch {
	case into == nil:
		return nil
	case u.JSON:
		_, err := fmt.Fprintln(stdout, strings.TrimSpace(string(raw)))
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return show()
}

type userListCmd struct {
	users `embed:""`
}

// Help is shown below the usage.
func (*userListCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir user list --json`
}

// Run lists them.
func (c *userListCmd) Run(ctx context.Context, stdout io.Writer) error {
	var list struct{ Users []account }
	return c.ask(ctx, stdout, http.MethodGet, "/api/admin/users", nil, &list, func() error {
		w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "USER\tEMAIL\tNAME\tADMIN\tSECOND FACTOR\tSTATE")
		for _, a := range list.Users {
			yes := map[bool]string{true: "yes", false: "no"}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Email, a.Name, yes[a.Admin], yes[a.SecondFactor], a.state())
		}
		return w.Flush()
	})
}

type userInviteCmd struct {
	users   `embed:""`
	Email   string `arg:"" help:"Mail address of whom to invite."`
	Project string `xor:"to" required:"" placeholder:"ID" help:"Project to invite to."`
	Role    string `default:"viewer" enum:"viewer,editor,admin" help:"Role in the project: viewer, editor or admin."`
	Admin   bool   `xor:"to" required:"" help:"Invite an administrator of the server."`
}

// Help is shown below the usage.
func (*userInviteCmd) Help() string {
	return `The link works once, for 7 days. With a mail server and --public-url the server sends it too.

Examples:

    WEIR_TOKEN=… weir user invite ada@example.org --project PROJECT --role editor
    WEIR_TOKEN=… weir user invite root@example.org --admin`
}

// Run invites.
func (c *userInviteCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, in := "/api/admin/invitations", map[string]any{"email": c.Email}
	if !c.Admin {
		path, in["role"] = "/api/v1/projects/"+url.PathEscape(c.Project)+"/invitations", c.Role
	}
	var i struct {
		ID, URL   string
		Mailed    bool
		ExpiresAt time.Time `json:"expires_at"`
	}
	return c.ask(ctx, stdout, http.MethodPost, path, in, &i, func() error {
		_, err := fmt.Fprintf(stdout, "invitation  %s\nlink        %s\nexpires     %s\nmailed      %v\n", i.ID, i.URL, i.ExpiresAt.Format(time.RFC3339), i.Mailed)
		return err
	})
}

type userResetCmd struct {
	users `embed:""`
	User  string `arg:"" help:"Mail address or id."`
}

// Help is shown below the usage.
func (*userResetCmd) Help() string {
	return `The link works once, for 24 hours. The password until now stays good until it is used.

Example:

    WEIR_TOKEN=… weir user reset ada@example.org`
}

// Run makes the link.
func (c *userResetCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, err := c.find(ctx, c.User)
	if err != nil {
		return err
	}
	var l struct {
		URL       string
		ExpiresAt time.Time `json:"expires_at"`
	}
	return c.ask(ctx, stdout, http.MethodPost, path+"/reset", nil, &l, func() error {
		_, err := fmt.Fprintf(stdout, "link     %s\nexpires  %s\n", l.URL, l.ExpiresAt.Format(time.RFC3339))
		return err
	})
}

type userDeactivateCmd struct {
	users `embed:""`
	User  string `arg:"" help:"Mail address or id."`
}

// Help is shown below the usage.
func (*userDeactivateCmd) Help() string {
	return `Sessions and live streams end at once, on all nodes. The account and its roles stay. The last active administrator stays active.

Example:

    WEIR_TOKEN=… weir user deactivate ada@example.org`
}

// Run deactivates.
func (c *userDeactivateCmd) Run(ctx context.Context, stdout io.Writer) error {
	return c.setActive(ctx, stdout, c.User, false)
}

type userActivateCmd struct {
	users `embed:""`
	User  string `arg:"" help:"Mail address or id."`
}

// Help is shown below the usage.
func (*userActivateCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir user activate ada@example.org`
}

// Run activates.
func (c *userActivateCmd) Run(ctx context.Context, stdout io.Writer) error {
	return c.setActive(ctx, stdout, c.User, true)
}

func (u users) setActive(ctx context.Context, stdout io.Writer, user string, active bool) error {
	path, err := u.find(ctx, user)
	if err != nil {
		return err
	}
	var a account
	return u.ask(ctx, stdout, http.MethodPatch, path, map[string]any{"active": active}, &a, func() error {
		_, err := fmt.Fprintf(stdout, "user   %s\nemail  %s\nstate  %s\n", a.ID, a.Email, a.state())
		return err
	})
}

type userResetTOTPCmd struct {
	users `embed:""`
	User  string `arg:"" help:"Mail address or id."`
}

// Help is shown below the usage.
func (*userResetTOTPCmd) Help() string {
	return `The account's sessions end. Its password alone signs in until a second factor is set up again.

Example:

    WEIR_TOKEN=… weir user reset-totp ada@example.org`
}

// Run removes it.
func (c *userResetTOTPCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, err := c.find(ctx, c.User)
	if err != nil {
		return err
	}
	return c.ask(ctx, stdout, http.MethodDelete, path+"/totp", nil, nil, nil)
}

type userSignOutCmd struct {
	users `embed:""`
	User  string `arg:"" help:"Mail address or id."`
}

// Help is shown below the usage.
func (*userSignOutCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir user sign-out ada@example.org`
}

// Run ends the sessions.
func (c *userSignOutCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, err := c.find(ctx, c.User)
	if err != nil {
		return err
	}
	return c.ask(ctx, stdout, http.MethodDelete, path+"/sessions", nil, nil, nil)
}
