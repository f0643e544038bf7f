package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// remote is a running server that a command asks with a token.
type remote struct {
	URL   string `name:"url" default:"http://127.0.0.1:8080" env:"WEIR_URL" help:"Address of the server."`
	Token string `name:"token" env:"WEIR_TOKEN" help:"Token that may do it: the server's admin token, or one of weir token create. Better given as WEIR_TOKEN than on the command line."`

	patience time.Duration // for an answer; 0 is 30 s
}

// call sends in as JSON, if not nil, and reads the answer into out, if not nil.
func (r remote) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.patience, 30*time.Second))
	defer cancel()
	resp, err := r.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// answerLimit bounds an answer that is read as a whole, in bytes.
const answerLimit = 16 << 20

// send is call without the answer's body: the caller reads and closes it. An answer
// that is no success is an error.
func (r remote) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	return r.sendAccepting(ctx, method, path, "", in)
}

// sendAccepting is send for an answer of a type; "" is any.
func (r remote) sendAccepting(ctx context.Context, method, path, accept string, in any) (*http.Response, error) {
	if r.Token == "" {
		return nil, misuse(errors.New("--token or WEIR_TOKEN is needed: the admin token that the server printed at its first start, or was given as WEIR_ADMIN_TOKEN"))
	}
	base, err := url.Parse(r.URL)
	if err != nil || base.Host == "" {
		return nil, misuse(fmt.Errorf("--url %q: want an address such as http://127.0.0.1:8080", r.URL))
	}
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.URL, "/")+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Content-Type", "application/json")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	req.Header.Set("User-Agent", "weir-cli/"+version)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", r.URL, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	var e struct {
		Error struct{ Code, Message string }
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err == nil && json.Unmarshal(raw, &e) == nil && e.Error.Message != "" {
		return nil, fmt.Errorf("the server says %s: %s", resp.Status, e.Error.Message)
	}
	return nil, fmt.Errorf("the server says %s", resp.Status)
}
