package posthog

import (
	"unicode/utf16"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// lzBase64 decompresses the output of compressToBase64 of npm's lz-string. Neither the text
// nor the result, which is UTF-8, may be over Limits.Body bytes. Errors: EINVALID for a text
// that is not of this form, ETOOLARGE, those of Reservation.Reserve.
//
// An entry of the dictionary is an earlier entry and the character after it. In the output
// the two stand one after the other. So an entry is stored as a part of the output, and the
// dictionary is no larger than the text.
//
// Characters are code units of UTF-16. At first the output has each half of a surrogate pair
// as three bytes; joined makes them one character at the end.
func lzBase64(text []byte, limits wire.Limits) ([]byte, error) {
	limit, h := limits.Body, limits.Memory
	if int64(len(text)) > limit {
		return nil, weir.Errorf(weir.ETOOLARGE, "body is over %d bytes", limit)
	}
	limit = h.DecompressedLimit(int64(len(text)), limit)
	dictionary := 2 * lzEntrySize * int64(len(text)) // an entry for each two characters at most, and it doubles
	if err := h.Reserve(dictionary); err != nil {
		return nil, err
	}
	defer h.Release(dictionary)
	l := lzReader{text: text}
	l.dictionary = make([]lzEntry, 3, 64) // 0 to 2 are no entries
	code := l.bits(2)
	if code == 2 {
		return nil, nil
	}
	width, room := 2, 1 // bits of a code, and how many more entries do not change that
	for last := (lzSpan{}); ; code = l.bits(width) {
		if code == 2 && last != (lzSpan{}) {
			return joined(l.out), nil
		}
		from := len(l.out)
		if err := l.grow(last.to-last.from+utf8.UTFMax, h); err != nil {
			return nil, err
		}
		switch {
		case l.ended:
			return nil, lzInvalid()
		case code < 2:
			l.out = appendUnit(l.out, rune(l.bits(8<<code)))
			l.dictionary = append(l.dictionary, lzEntry{uint32(from), uint32(len(l.out))})
			room--
		case code < len(l.dictionary) && code > 2:
			entry := l.dictionary[code]
			if err := l.grow(int(entry.to-entry.from), h); err != nil {
				return nil, err
			}
			l.out = append(l.out, l.out[entry.from:entry.to]...)
		case code == len(l.dictionary) && last != (lzSpan{}):
			l.out = append(l.out, l.out[last.from:last.to]...)
			l.out = append(l.out, l.out[last.from:last.from+unitLen(l.out[last.from])]...)
		default:
			return nil, lzInvalid()
		}
		if int64(len(l.out)) > limit {
			return nil, weir.Errorf(weir.ETOOLARGE, "body is over %d bytes when decompressed", limit)
		}
		if room == 0 {
			room = 1 << width
			width++
		}
		if last != (lzSpan{}) {
			l.dictionary = append(l.dictionary, lzEntry{uint32(last.from), uint32(from + unitLen(l.out[from]))})
			if room--; room == 0 {
				room = 1 << width
				width++
			}
		}
		last = lzSpan{from, len(l.out)}
	}
}

func lzInvalid() error {
	return weir.Errorf(weir.EINVALID, "failed to decode request: invalid lz64 data")
}

// lzSpan is a part of the output.
type lzSpan struct{ from, to int }

// lzEntry is a lzSpan in half the memory: there may be one for each byte of the output.
type lzEntry struct{ from, to uint32 }

const lzEntrySize = 8

// grow makes room for n more bytes of output.
func (l *lzReader) grow(n int, h *wire.Reservation) error {
	if need := len(l.out) + n; need > cap(l.out) {
		before := int64(cap(l.out))
		size := max(need, 2*cap(l.out), 4096)
		if err := h.Reserve(int64(size)); err != nil {
			return err
		}
		l.out = append(make([]byte, 0, size), l.out...)
		h.Release(before)
	}
	return nil
}

// lzReader reads codes. A code has its lowest bit first; a character of base64 has six bits,
// the highest first.
type lzReader struct {
	text       []byte
	value      int
	left       int // bits of value
	ended      bool
	dictionary []lzEntry
	out        []byte
}

func (l *lzReader) bits(n int) (code int) {
	for i := range n {
		for l.left == 0 {
			if len(l.text) == 0 {
				l.ended = true
				return 0
			}
			l.value, l.left = sextet(l.text[0])
			l.text = l.text[1:]
		}
		l.left--
		code |= (l.value >> l.left & 1) << i
	}
	return code
}

// sextet is a character of base64. Others, such as the padding, have no bits.
func sextet(c byte) (value, bits int) {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A'), 6
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26, 6
	case c >= '0' && c <= '9':
		return int(c-'0') + 52, 6
	case c == '+' || c == ' ' || c == '-': // a form turns a plus into a space
		return 62, 6
	case c == '/' || c == '_':
		return 63, 6
	}
	return 0, 0
}

// appendUnit appends a code unit; half a surrogate pair too.
func appendUnit(dst []byte, u rune) []byte {
	if utf16.IsSurrogate(u) {
		return append(dst, 0xe0|byte(u>>12), 0x80|byte(u>>6)&0xbf, 0x80|byte(u)&0xbf)
	}
	return utf8.AppendRune(dst, u)
}

// unitLen is the length of a code unit that begins with a byte.
func unitLen(c byte) int {
	switch {
	case c < 0x80:
		return 1
	case c < 0xe0:
		return 2
	}
	return 3
}

// joined turns code units into UTF-8, in place.
func joined(units []byte) []byte {
	out := units[:0]
	for i := 0; i < len(units); {
		n := unitLen(units[i])
		high := unitAt(units, i)
		if !utf16.IsSurrogate(high) {
			out = append(out, units[i:i+n]...)
		} else if r := utf16.DecodeRune(high, unitAt(units, i+n)); r != utf8.RuneError {
			out = utf8.AppendRune(out, r)
			n += 3
		} else {
			out = utf8.AppendRune(out, utf8.RuneError)
		}
		i += n
	}
	return out
}

// unitAt is the code unit of three bytes at i, 0 when there is none.
func unitAt(units []byte, i int) rune {
	if i+3 > len(units) || unitLen(units[i]) != 3 {
		return 0
	}
	return rune(units[i]&0x0f)<<12 | rune(units[i+1]&0x3f)<<6 | rune(units[i+2]&0x3f)
}
