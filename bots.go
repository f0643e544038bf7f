package weir

import (
	"bytes"
	"encoding/json"
)

// Bots says whether a question counts the events of bots. In JSON it is false, true or
// "only".
type Bots string

// The words. Without one, numbers of people leave bots out, and numbers of events and calls
// count everything.
const (
	BotsByNumber Bots = ""
	BotsOut      Bots = "false"
	BotsIn       Bots = "true"
	BotsOnly     Bots = "only"
)

// OfPeople returns the word for numbers of people.
func (b Bots) OfPeople() Bots {
	if b == BotsByNumber {
		return BotsOut
	}
	return b
}

// OfEvents returns the word for numbers of events and calls.
func (b Bots) OfEvents() Bots {
	if b == BotsByNumber {
		return BotsIn
	}
	return b
}

// Counts says whether an event counts; bot says whether a bot sent it.
func (b Bots) Counts(bot bool) bool { return b == BotsIn || bot == (b == BotsOnly) }

// UnmarshalJSON reads a word. Error: EINVALID.
func (b *Bots) UnmarshalJSON(raw []byte) error {
	switch word := Bots(bytes.Trim(raw, `"`)); word {
	case BotsByNumber, BotsOut, BotsIn, BotsOnly:
		*b = word
	case "null":
	default:
		return Errorf(EINVALID, `bots is %.20s: use false, true or "only"`, raw)
	}
	return nil
}

// MarshalJSON writes false and true as they are.
func (b Bots) MarshalJSON() ([]byte, error) {
	if b == BotsOut || b == BotsIn {
		return []byte(b), nil
	}
	return json.Marshal(string(b))
}

func (b Bots) validate() error {
	switch b {
	case BotsByNumber, BotsOut, BotsIn, BotsOnly:
		return nil
	}
	return Errorf(EINVALID, `bots is %.20q: use false, true or "only"`, string(b))
}
