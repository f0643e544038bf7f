package mixpanel

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// joinSurrogates turns pairs of surrogates, three bytes each, into UTF-8, in place. Before
// base64 mixpanel-browser encodes each UTF-16 code unit on its own, so an emoji is six bytes,
// which are not UTF-8.
func joinSurrogates(text []byte) []byte {
	at := bytes.IndexByte(text, surrogateLead)
	if at < 0 {
		return text
	}
	out := text[:at]
	for i := at; i < len(text); {
		if r := utf16.DecodeRune(surrogateAt(text, i), surrogateAt(text, i+3)); r != utf8.RuneError {
			out = utf8.AppendRune(out, r)
			i += 6
			continue
		}
		out = append(out, text[i])
		i++
	}
	return out
}

// surrogateLead is the first byte of a surrogate. Only a few other characters begin with it.
const surrogateLead = 0xed

// surrogateAt returns the code unit of three bytes at i, or 0 if there is no surrogate.
func surrogateAt(text []byte, i int) rune {
	if i+3 > len(text) || text[i] != surrogateLead || text[i+1]&0xe0 != 0xa0 || text[i+2]&0xc0 != 0x80 {
		return 0
	}
	return 0xd000 | rune(text[i+1]&0x3f)<<6 | rune(text[i+2]&0x3f)
}
