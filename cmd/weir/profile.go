package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// profileCmd is "weir profile".
type profileCmd struct {
	Export profileExportCmd `cmd:"" help:"Print all that is known of a profile, as JSON."`
	Erase  profileEraseCmd  `cmd:"" help:"Erase a profile and its devices. Events are counted as before, without the person."`
}

// Help is shown below the usage.
func (*profileCmd) Help() string {
	return `Examples:

    weir profile export u1 --project PROJECT > u1.json
    weir profile erase u1 --project PROJECT
    WEIR_TOKEN=… weir profile erase u1 --project PROJECT --yes`
}

// ofProfile is the profile that a command is about.
type ofProfile struct {
	remote  `embed:""`
	Profile string `arg:"" help:"Id of the profile, as your application sends it."`
	Project string `required:"" env:"WEIR_PROJECT" placeholder:"ID" help:"Id of the project."`
}

func (p *ofProfile) path() (string, error) {
	if p.Profile == "" {
		return "", errors.New("the profile's id is empty")
	}
	id := url.PathEscape(p.Profile)
	if id == "." || id == ".." { // a path with these parts names another resource
		id = strings.ReplaceAll(id, ".", "%2E")
	}
	return "/api/v1/projects/" + url.PathEscape(p.Project) + "/profiles/" + id, nil
}

type profileExportCmd struct {
	ofProfile `embed:""`
}

// Help is shown below the usage.
func (*profileExportCmd) Help() string {
	return `It is one JSON object on standard output, as docs/profiles.md describes it. When it could not be exported whole, the exit
status is 1, and what was printed is no valid JSON.

Example:

    weir profile export u1 --project PROJECT > u1.json`
}

// Run passes the export on as it comes, for as long as that takes.
func (c *profileExportCmd) Run(ctx context.Context, stdout io.Writer) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The patience is for the beginning only.
	patience := cmp.Or(c.patience, time.Minute)
	late := time.AfterFunc(patience, func() { cancel(fmt.Errorf("ask %s: no answer within %v", c.URL, patience)) })
	resp, err := c.send(ctx, http.MethodGet, path+"/export", nil)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	defer resp.Body.Close()
	late.Stop()
	if _, err := io.Copy(stdout, resp.Body); err != nil {
		return fmt.Errorf("the export is not whole: %w", err)
	}
	return nil
}

type profileEraseCmd struct {
	ofProfile `embed:""`
	asking    `embed:""`
}

// asking is a command that asks before it does what cannot be undone.
type asking struct {
	Yes bool `help:"Do not ask."`

	stdin io.Reader // nil is the process'
}

// confirm asks, and returns an error unless the answer is yes. failed says what was not done.
func (c *asking) confirm(ctx context.Context, log io.Writer, question, failed string) error {
	if c.Yes {
		return nil
	}
	fmt.Fprint(log, question)
	said, err := c.answer(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", failed, err)
	}
	if said != "yes" {
		return fmt.Errorf("%s: the answer is not yes; with --yes nothing is asked", failed)
	}
	return nil
}

// Help is shown below the usage.
func (*profileEraseCmd) Help() string {
	return `It cannot be undone. What is left is in docs/profiles.md. After an error a part may be erased: erase again.

Examples:

    weir profile erase u1 --project PROJECT
    WEIR_TOKEN=… weir profile erase u1 --project PROJECT --yes`
}

// Run asks, and erases.
func (c *profileEraseCmd) Run(ctx context.Context, stdout io.Writer, log logWriter) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Erase the profile %q and its devices from the project %s? It cannot be undone. Type yes: ", c.Profile, c.Project)
	if err := c.confirm(ctx, log, question, "nothing was erased"); err != nil {
		return err
	}
	c.patience = 5 * time.Minute // what was received before is stored first
	var e struct {
		ErasedAt time.Time `json:"erased_at"`
		Devices  int
	}
	if err := c.call(ctx, http.MethodDelete, path, nil, &e); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "profile  %q\nerased   %s\ndevices  %d\n", c.Profile, e.ErasedAt.Format(time.RFC3339), e.Devices)
	return err
}

// answer returns a line of standard input, unless ctx is done before.
func (c *asking) answer(ctx context.Context) (string, error) {
	in := c.stdin
	if in == nil {
		in = os.Stdin
	}
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(in).ReadString('\n') // an end says no
		line <- strings.TrimSpace(text)
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
