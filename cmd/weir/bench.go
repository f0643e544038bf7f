package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weir-analytics/weir/bench"
)

// benchCmd is "weir bench": load on a running server, and what came of it.
type benchCmd struct {
	URL         string        `name:"url" default:"http://127.0.0.1:8080" env:"WEIR_URL" help:"Address of the server."`
	Key         string        `name:"key" env:"WEIR_KEY" help:"Write key of the project to fill."`
	Project     string        `name:"project" env:"WEIR_PROJECT" help:"ID of that project, to measure the lag with a query."`
	Token       string        `name:"token" env:"WEIR_TOKEN" help:"Token for that query."`
	Duration    time.Duration `name:"duration" default:"30s" env:"WEIR_DURATION" help:"How long to send."`
	Connections int           `name:"connections" default:"4" env:"WEIR_CONNECTIONS" help:"Connections, each with one request in flight."`
	Batch       int           `name:"batch" default:"100" env:"WEIR_BATCH" help:"Events a request; 1 sends single events."`
	Rate        float64       `name:"rate" default:"0" env:"WEIR_RATE" help:"Events a second to send, whatever the server does (open loop); 0 sends as fast as answers come (closed loop)."`
	Devices     int           `name:"devices" default:"10000" env:"WEIR_DEVICES" help:"Distinct devices, at most."`
	Seed        int64         `name:"seed" default:"1" env:"WEIR_SEED" help:"Seed of the events; their ids differ from run to run."`
	PID         []int         `name:"pid" env:"WEIR_PID" placeholder:"PID,…" help:"Processes of the server on this machine, its Redis among them, to report their CPU time and memory (Linux)."`
	Bare        bool          `name:"bare" env:"WEIR_BARE" help:"Load a handler that does nothing first, for as long, and report the server's share of what it took."`
	ServeBare   bool          `name:"serve-bare" hidden:"" help:"Be that handler, until the standard input ends."`
	JSON        bool          `name:"json" env:"WEIR_JSON" help:"Print the report as JSON."`
	Yes         bool          `name:"yes" help:"Load a server on another machine."`
}

// Help is shown below the usage.
func (*benchCmd) Help() string {
	return `Sends made-up events (screen views, custom events, API calls, identifications, in visits of several pages) to a running
server and reports how many it took, how fast, and how long until a query saw them all. The events stay in the project, so
give it one of its own.

In the closed loop each connection sends its next request when the last one is answered. With --rate requests are due at
fixed times, and latency counts from when a request was due, so that waiting for a slow server shows.

Examples:

    weir bench --key KEY
    weir bench --key KEY --connections 64 --batch 1 --duration 10s --bare
    weir bench --key KEY --rate 20000 --project ID --token TOKEN --pid $(pidof weir) --json`
}

// Run loads the server. When ctx is cancelled it ends early and reports.
func (c *benchCmd) Run(ctx context.Context, stdout io.Writer) error {
	outliveReaders()
	if c.ServeBare {
		return serveBare(ctx, os.Stdin, stdout, c.Batch)
	}
	if c.Key == "" {
		return misuse(errors.New("bench: --key is missing: give a project's write key"))
	}
	if !bench.IsLoopback(c.URL) && !c.Yes {
		return misuse(fmt.Errorf("bench: --url: %s is not on this machine: add --yes to load it all the same", c.URL))
	}
	cfg := bench.Config{
		URL: c.URL, Key: c.Key, Project: c.Project, Token: c.Token,
		Duration: c.Duration, Connections: c.Connections, Batch: c.Batch, Rate: c.Rate,
		Devices: c.Devices, Seed: c.Seed, PIDs: c.PID,
	}
	var bare *bench.Report
	if c.Bare {
		var err error
		if bare, err = loadBare(ctx, cfg); err != nil {
			return err
		}
	}
	rep, err := bench.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if bare != nil {
		rep.Against(bare)
	}
	if !c.JSON {
		return rep.WriteText(stdout)
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rep)
}
