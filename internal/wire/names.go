package wire

import "bytes"

// mostNames bounds the names per request; longestName bounds their length in bytes (no
// project has a longer name).
const (
	mostNames   = 4
	LongestName = 512
)

// NamesIn returns the first texts and numbers that follow one of the keys.
//
// It runs before the whole body has arrived. So it does not parse JSON: it searches the bytes
// for the keys, at any place. A sender gains nothing if the text found is not the project's
// name: it must send a valid name, and could have sent that as its project.
func NamesIn(text []byte, keys ...string) (names []string) {
	for _, key := range keys {
		quoted := []byte(`"` + key + `"`)
		for rest := text; len(names) < mostNames; {
			_, after, ok := bytes.Cut(rest, quoted)
			if !ok {
				break
			}
			rest = after
			value, ok := bytes.CutPrefix(bytes.TrimLeft(after[:min(len(after), 2*LongestName)], " \t\r\n"), []byte(":"))
			if !ok {
				continue
			}
			value = bytes.TrimLeft(value, " \t\r\n")
			end := `",}`
			if value, ok = bytes.CutPrefix(value, []byte(`"`)); ok {
				end = `"`
			}
			if n := bytes.IndexAny(value, end); n > 0 && n <= LongestName {
				names = append(names, string(value[:n]))
			}
		}
	}
	return names
}
