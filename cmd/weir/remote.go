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

// remote is a running server that a command asks as its administrator.
type remote struct {
	URL   string `name:"url" default:"http://127.0.0.1:8080" env:"WEIR_URL" help:"Address of the server."`
	Token string `name:"token" env:"WEIR_ADMIN_TOKEN" help:"Admin token of the server."`

	patience time.Duration // for an answer; 0 is 30 s
}

// call sends in as JSON, if not nil, and reads the answer into out, if not nil.
func (r remote) call(ctx context.Context, method, path string, in, out any) error {
	if r.Token == "" {
		return errors.New("--token or WEIR_ADMIN_TOKEN is needed: the admin token that the server printed at its first start")
	}
	base, err := url.Parse(r.URL)
	if err != nil || base.Host == "" {
		return fmt.Errorf("--url %q: want an address such as http://127.0.0.1:8080", r.URL)
	}
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.URL, "/")+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: cmp.Or(r.patience, 30*time.Second)}).Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", r.URL, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		var e struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(raw, &e) == nil && e.Error.Message != "" {
			return fmt.Errorf("the server says %s: %s", resp.Status, e.Error.Message)
		}
		return fmt.Errorf("the server says %s", resp.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
