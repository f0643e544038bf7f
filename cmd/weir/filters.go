package main

import (
	"cmp"
	"fmt"
	"strings"
)

// filterFlags change whose events a project leaves out, and what a bot is there.
type filterFlags struct {
	FilterAddress    []string `placeholder:"ADDRESS" xor:"addresses" help:"An address or a network, such as 203.0.113.5 or 203.0.113.0/24, whose events are left out, such as your own office's. May be given many times; these replace those it had."`
	NoAddressFilters bool     `xor:"addresses" help:"Take all such addresses from it."`

	BotEvents   string   `enum:"keep,drop," default:"" placeholder:"keep|drop" help:"What happens to events of bots: keep, which marks them, or drop."`
	BotAgent    []string `placeholder:"TEXT" sep:"none" xor:"bots" help:"A user agent that contains the text is a bot's. May be given many times; these replace those it had."`
	NotBotAgent []string `placeholder:"TEXT" sep:"none" xor:"notbots" help:"A user agent that contains the text is no bot's, such as your own monitor's. May be given many times; these replace those it had."`
	NoBotAgents bool     `xor:"bots,notbots" help:"Take both lists of texts from it."`
}

// into adds what is given to the body of a change.
func (f *filterFlags) into(body map[string]any) {
	switch {
	case f.NoAddressFilters:
		body["address_filters"] = []string{}
	case len(f.FilterAddress) > 0:
		body["address_filters"] = f.FilterAddress
	}
	if f.BotEvents != "" {
		body["bot_events"] = f.BotEvents
	}
	if f.NoBotAgents {
		body["bot_agents"], body["not_bot_agents"] = []string{}, []string{}
	}
	if len(f.BotAgent) > 0 {
		body["bot_agents"] = f.BotAgent
	}
	if len(f.NotBotAgent) > 0 {
		body["not_bot_agents"] = f.NotBotAgent
	}
}

// filtersBody is the server's answer about a project's filters and bots.
type filtersBody struct {
	AddressFilters []string `json:"address_filters"`

	BotEvents    string   `json:"bot_events"`
	BotAgents    []string `json:"bot_agents"`
	NotBotAgents []string `json:"not_bot_agents"`
}

// String returns a line for each.
func (b filtersBody) String() string {
	list := func(texts []string) string {
		return cmp.Or(strings.Join(texts, "\n"+strings.Repeat(" ", 21)), "none")
	}
	return fmt.Sprintf("addresses left out   %s\nevents of bots       %s\nalso bots            %s\nno bots              %s\n",
		list(b.AddressFilters), b.BotEvents, list(b.BotAgents), list(b.NotBotAgents))
}
