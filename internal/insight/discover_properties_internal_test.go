package insight

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func BenchmarkPropertiesOfEvents(b *testing.B) {
	var texts [][]byte
	for i := range propertyRows {
		texts = append(texts, fmt.Appendf(nil, `{"plan":"pro","n":%d,"a/b":"x","list":[1,2,3],"o":{"a":1},"price":"12.5","$groups":{"company":"acme"}}`, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		found := sightedProperties{of: make(map[string]*sightedProperty)}
		for _, text := range texts {
			found.add(text)
		}
	}
}

// A flood of the longest names takes no more memory than is held for it.
func TestCountedNamesOfPropertiesFitTheirMemory(t *testing.T) {
	var texts [][]byte
	for i := 0; i < 2*maxFound; i += 10 {
		text := []byte(`{"often":1`)
		for j := range 10 {
			text = fmt.Appendf(text, `,"%s%06d":%d`, strings.Repeat("x", maxValue-6), i+j, j)
		}
		texts = append(texts, append(text, '}'))
	}
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, n := range []int{maxFound / 10, len(texts)} { // as many as fit; some are dropped
		before := live()
		found := sightedProperties{of: make(map[string]*sightedProperty)}
		for _, text := range texts[:n-1] {
			found.add(text)
		}
		columns := found.columns(Discovery{Limit: MaxDiscovered})
		if took := live() - before; took > foundBytes {
			t.Errorf("%d names take %d bytes, at most %d", len(found.of), took, foundBytes)
		}
		if columns[0].Name != "properties.often" || columns[0].Count != int64(n-1) || len(columns) != MaxDiscovered+1 {
			t.Errorf("%d columns, the first is %+v", len(columns), columns[0])
		}
		runtime.KeepAlive(found)
	}
}
