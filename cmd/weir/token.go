package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokenCmd is "weir token".
type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List a project's tokens, or your own."`
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it, this once."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token."`
}

// Help is shown below the usage.
func (*tokenCmd) Help() string {
	return `A token of a project belongs to the project. A token of your own acts for you: it never may do more than you may. For your own, WEIR_TOKEN is one of them, with the scope admin.

Examples:

    WEIR_TOKEN=… weir token create CI --project PROJECT --scope ingest --days 365
    WEIR_TOKEN=… weir token create notebook --own --scope read --scope persons
    WEIR_TOKEN=… weir token list --project PROJECT
    WEIR_TOKEN=… weir token revoke TOKEN-ID --project PROJECT`
}

// tokensOf says whose tokens a command is about.
type tokensOf struct {
	Project string `xor:"of" required:"" placeholder:"ID" help:"Those of this project."`
	Own     bool   `xor:"of" required:"" help:"Those of the user for whom WEIR_TOKEN acts."`
}

func (o tokensOf) path() string {
	if o.Own {
		return "/api/v1/tokens"
	}
	return "/api/v1/projects/" + url.PathEscape(o.Project) + "/tokens"
}

// tokenLine is a token as the server lists one.
type tokenLine struct {
	ID, Name, Last4, Project string
	Scopes                   []string
	CreatedAt                string `json:"created_at"`
	ExpiresAt                string `json:"expires_at"`
	LastUsedAt               string `json:"last_used_at"`
}

type tokenListCmd struct {
	remote   `embed:""`
	printing `embed:""`
	tokensOf `embed:""`
}

// Help is shown below the usage.
func (*tokenListCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir token list --project PROJECT
    WEIR_TOKEN=… weir token list --own --json`
}

// Run lists them.
func (c *tokenListCmd) Run(ctx context.Context, stdout io.Writer) error {
	type answer struct{ Tokens []tokenLine }
	return show(ctx, c.remote, c.printing, http.MethodGet, c.path(), nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "TOKEN\tNAME\tENDS WITH\tSCOPES\tPROJECT\tMADE\tEXPIRES\tLAST USED")
		for _, t := range a.Tokens {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Last4, strings.Join(t.Scopes, ","), cmp.Or(t.Project, "all"),
				t.CreatedAt, cmp.Or(t.ExpiresAt, "never"), cmp.Or(t.LastUsedAt, "never"))
		}
	})
}

type tokenCreateCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Name     string   `arg:"" help:"Its name, by which you recognise it."`
	Project  string   `placeholder:"ID" help:"The project to which it belongs; with --own, the only one that it is good for."`
	Own      bool     `help:"Make it a token of the user for whom WEIR_TOKEN acts."`
	Scope    []string `required:"" enum:"read,persons,write,ingest,admin" placeholder:"SCOPE" help:"What it may do: read, persons, write, ingest, admin. May be given many times."`
	Days     int      `placeholder:"N" help:"Days from now until it ends; without it, it does not end."`
}

// Help is shown below the usage.
func (*tokenCreateCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir token create CI --project PROJECT --scope ingest --days 365
    WEIR_TOKEN=… weir token create notebook --own --scope read --scope persons`
}

// Run makes the token.
func (c *tokenCreateCmd) Run(ctx context.Context, stdout io.Writer) error {
	if c.Project == "" && !c.Own {
		return misuse(fmt.Errorf("say whose token it is: --project ID or --own"))
	}
	in := map[string]any{"name": c.Name, "scopes": c.Scope}
	if c.Days > 0 {
		in["expires_at"] = time.Now().AddDate(0, 0, c.Days).UTC().Format(time.RFC3339)
	}
	if c.Own && c.Project != "" {
		in["project"] = c.Project
	}
	type answer struct{ Token string }
	return show(ctx, c.remote, c.printing, http.MethodPost, tokensOf{c.Project, c.Own}.path(), in, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, a.Token)
	})
}

type tokenRevokeCmd struct {
	remote   `embed:""`
	tokensOf `embed:""`
	Token    string `arg:"" name:"token-id" help:"Id of the token, as list shows it."`
}

// Help is shown below the usage.
func (*tokenRevokeCmd) Help() string {
	return `Examples:

    WEIR_TOKEN=… weir token revoke TOKEN-ID --project PROJECT
    WEIR_TOKEN=… weir token revoke TOKEN-ID --own`
}

// Run revokes the token.
func (c *tokenRevokeCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, c.path()+"/"+url.PathEscape(c.Token), nil, nil)
}
