package enrich_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// writeMMDB writes a small MaxMind DB of IPv6 (format 2.0, 32-bit records) to a
// new file and returns its path. Records are maps, slices and strings.
func writeMMDB(tb testing.TB, networks map[string]any) string {
	tb.Helper()
	type node [2]uint32 // below nodes: 0 is none, n > 0 is node n, n < 0 data
	const data = 1 << 31
	tree := []node{{}}
	var section bytes.Buffer
	for network, record := range networks {
		prefix := netip.MustParsePrefix(network)
		at, bits := prefix.Addr().As16(), prefix.Bits()
		if prefix.Addr().Is4() {
			at = [16]byte{12: 0}
			a4 := prefix.Addr().As4()
			copy(at[12:], a4[:])
			bits += 96
		}
		n := uint32(0)
		for i := range bits {
			bit := at[i/8] >> (7 - i%8) & 1
			if i == bits-1 {
				tree[n][bit] = data | uint32(section.Len())
				break
			}
			if tree[n][bit] == 0 {
				tree = append(tree, node{})
				tree[n][bit] = uint32(len(tree) - 1)
			}
			n = tree[n][bit]
		}
		encodeMMDB(&section, record)
	}
	var file bytes.Buffer
	for _, n := range tree {
		for _, to := range n {
			switch {
			case to == 0:
				to = uint32(len(tree))
			case to&data != 0:
				to = to&^data + uint32(len(tree)) + 16
			}
			_ = binary.Write(&file, binary.BigEndian, to)
		}
	}
	file.Write(make([]byte, 16))
	file.Write(section.Bytes())
	file.WriteString("\xab\xcd\xefMaxMind.com")
	encodeMMDB(&file, map[string]any{
		"binary_format_major_version": uint16(2),
		"binary_format_minor_version": uint16(0),
		"build_epoch":                 uint64(1_700_000_000),
		"database_type":               "Test",
		"description":                 map[string]any{"en": "test"},
		"ip_version":                  uint16(6),
		"languages":                   []any{"en"},
		"node_count":                  uint32(len(tree)),
		"record_size":                 uint16(32),
	})
	name := filepath.Join(tb.TempDir(), "test.mmdb")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

// encodeMMDB writes a value as the data section has it: a control byte with
// type and size, then the value.
func encodeMMDB(w *bytes.Buffer, v any) {
	control := func(kind, size int) {
		first, rest := byte(size), []byte(nil)
		if size >= 29 {
			first, rest = 29, []byte{byte(size - 29)}
		}
		if kind < 8 {
			w.WriteByte(byte(kind)<<5 | first)
		} else {
			w.WriteByte(first)
			w.WriteByte(byte(kind - 7))
		}
		w.Write(rest)
	}
	switch v := v.(type) {
	case string:
		control(2, len(v))
		w.WriteString(v)
	case uint16:
		control(5, 2)
		_ = binary.Write(w, binary.BigEndian, v)
	case uint32:
		control(6, 4)
		_ = binary.Write(w, binary.BigEndian, v)
	case uint64:
		control(9, 8)
		_ = binary.Write(w, binary.BigEndian, v)
	case []any:
		control(11, len(v))
		for _, e := range v {
			encodeMMDB(w, e)
		}
	case map[string]any:
		control(7, len(v))
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			encodeMMDB(w, k)
			encodeMMDB(w, v[k])
		}
	}
}
