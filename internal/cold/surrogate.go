package cold

import "strconv"

// loneSurrogate says whether valid JSON escapes half of a UTF-16 surrogate
// pair: Go's decoder replaces it, DuckDB's refuses the whole document.
func loneSurrogate(p []byte) bool {
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' {
			continue
		}
		i++ // the escaped character; valid JSON has one
		if p[i] != 'u' {
			continue
		}
		u := hex4(p[i+1:])
		i += 4
		switch {
		case u >= 0xDC00 && u <= 0xDFFF:
			return true
		case u >= 0xD800 && u <= 0xDBFF:
			if i+6 >= len(p) || p[i+1] != '\\' || p[i+2] != 'u' {
				return true
			}
			if low := hex4(p[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}

// hex4 reads four hexadecimal digits.
func hex4(p []byte) uint64 {
	u, err := strconv.ParseUint(string(p[:4]), 16, 32)
	if err != nil {
		return 0 // not reached: valid JSON has four digits
	}
	return u
}
