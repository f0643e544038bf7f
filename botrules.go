package weir

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// BotRules are what a project adds to the rules by which Weir finds bots, and what happens to
// the events of bots. The zero value adds nothing: such events are kept and marked.
type BotRules struct {
	Drop bool `json:"drop,omitempty"` // events of bots are refused
	// Agents and NotAgents are texts: a user agent that contains one is a bot's, or is none's.
	// NotAgents count before Agents, and both before Weir's own lists. They are in lower case,
	// as upper and lower case do not count.
	Agents    []string `json:"agents,omitempty"`
	NotAgents []string `json:"not_agents,omitempty"`
}

// Bounds of a project's texts, of each of the two lists. Each event may be compared with all.
const (
	MaxBotAgents     = 50
	MinBotAgent      = 3 // bytes
	MaxBotAgent      = 255
	maxBotAgentBytes = 4 << 10 // of a list
)

// Normal returns the rules as they are stored: the texts in lower case, each once. Error:
// EINVALID; it names the text that is wrong.
func (r BotRules) Normal() (BotRules, error) {
	for _, list := range []struct {
		name  string
		texts *[]string
	}{{"bot_agents", &r.Agents}, {"not_bot_agents", &r.NotAgents}} {
		texts, bytes := make([]string, 0, len(*list.texts)), 0
		for _, text := range *list.texts {
			if wrong := wrongAgent(text); wrong != "" {
				return r, Errorf(EINVALID, "%s: %.80q %s", list.name, text, wrong)
			}
			texts = append(texts, strings.ToLower(text))
			bytes += len(text)
		}
		slices.Sort(texts)
		*list.texts = slices.Compact(texts)
		if len(*list.texts) > MaxBotAgents || bytes > maxBotAgentBytes {
			return r, Errorf(EINVALID, "%s: a project has at most %d texts, of %d bytes together", list.name, MaxBotAgents, maxBotAgentBytes)
		}
	}
	for _, text := range r.Agents {
		if slices.Contains(r.NotAgents, text) {
			return r, Errorf(EINVALID, "%.80q is in bot_agents and in not_bot_agents: leave it in one", text)
		}
	}
	return r, nil
}

// wrongAgent says why a text is not allowed, "" if it is.
func wrongAgent(text string) string {
	switch {
	case len(text) < MinBotAgent || len(text) > MaxBotAgent:
		return "is too short or too long: use 3 to 255 bytes"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "is not UTF-8 without control characters"
	case strings.TrimSpace(text) != text:
		return "has a space at its ends"
	}
	return ""
}

// Judge says whether the rules make a user agent a bot's. known is false if they do not name it.
func (r *BotRules) Judge(userAgent string) (bot, known bool) {
	if len(r.Agents)+len(r.NotAgents) == 0 || userAgent == "" {
		return false, false
	}
	userAgent = strings.ToLower(userAgent)
	in := func(text string) bool { return strings.Contains(userAgent, text) }
	if slices.ContainsFunc(r.NotAgents, in) {
		return false, true
	}
	bot = slices.ContainsFunc(r.Agents, in)
	return bot, bot
}
