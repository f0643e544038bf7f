package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

type deletionLine struct {
	Project, Name, Step, Error string
	RequestedAt                string `json:"requested_at"`
	Passes                     int
}

type projectDeleteCmd struct {
	remote   `embed:""`
	printing `embed:""`
	Project  string `arg:"" help:"Id of the project."`
	Name     string `required:"" help:"Its name, repeated, so that no other project is deleted by mistake."`
}

// Help is shown below the usage.
func (*projectDeleteCmd) Help() string {
	return `It cannot be undone. Its keys and tokens end at once; its events are deleted in the background: see weir project deletions.

Example:

    WEIR_TOKEN=… weir project delete PROJECT --name "My shop"`
}

// Run deletes the project.
func (c *projectDeleteCmd) Run(ctx context.Context, stdout io.Writer) error {
	in := map[string]any{"name": c.Name}
	return show(ctx, c.remote, c.printing, http.MethodDelete, "/api/v1/projects/"+url.PathEscape(c.Project), in, stdout, func(w io.Writer, d deletionLine) {
		fmt.Fprintf(w, "project\t%s\nname\t%s\nstep\t%s\n", d.Project, d.Name, d.Step)
	})
}

type projectDeletionsCmd struct {
	remote   `embed:""`
	printing `embed:""`
}

// Help is shown below the usage.
func (*projectDeletionsCmd) Help() string {
	return `Example:

    WEIR_TOKEN=… weir project deletions`
}

// Run lists them.
func (c *projectDeletionsCmd) Run(ctx context.Context, stdout io.Writer) error {
	type answer struct{ Deletions []deletionLine }
	return show(ctx, c.remote, c.printing, http.MethodGet, "/api/v1/project-deletions", nil, stdout, func(w io.Writer, a answer) {
		fmt.Fprintln(w, "PROJECT\tNAME\tREQUESTED\tSTEP\tPASSES\tERROR")
		for _, d := range a.Deletions {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", d.Project, d.Name, d.RequestedAt, d.Step, d.Passes, d.Error)
		}
	})
}
