package enrich_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

// visit returns a page view with all that Apply reads.
func visit(ua, ip string) weir.Incoming {
	return weir.Incoming{
		Event: weir.Event{Name: weir.NameScreenView, Language: "de-DE"},
		Source: weir.Source{
			URL:      "https://shop.example.com/products/4711?utm_source=news&utm_medium=email&utm_campaign=may",
			Referrer: "https://www.google.com/", IP: ip, UserAgent: ua,
		},
	}
}

// BenchmarkApply is the cost per event of known visitors: the golden user
// agents from 256 addresses.
func BenchmarkApply(b *testing.B) {
	agents, _ := goldenAgents(b)
	ins := make([]weir.Incoming, 1000)
	for i := range ins {
		ins[i] = visit(agents[i%len(agents)], fmt.Sprintf("91.%d.3.4", i%256))
	}
	for name, size := range map[string]int{"cached": 0, "uncached": -1} {
		e := open(b, enrich.Options{CacheSize: size})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					in := ins[i%len(ins)]
					e.Apply(&in, nil)
				}
			})
		})
	}
}

// BenchmarkUserAgent is the cost of one that was not seen before.
func BenchmarkUserAgent(b *testing.B) {
	agents, _ := goldenAgents(b)
	e := open(b, enrich.Options{CacheSize: -1})
	for name, ua := range map[string]string{"chrome": chrome, "googlebot": googlebot} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
				e.Apply(&in, nil)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			in := weir.Incoming{Source: weir.Source{UserAgent: agents[i%len(agents)]}}
			e.Apply(&in, nil)
		}
	})
}

// BenchmarkPlace is the cost of an address, remembered or not.
func BenchmarkPlace(b *testing.B) {
	for name, size := range map[string]int{"cached": 0, "uncached": -1} {
		e := open(b, enrich.Options{CacheSize: size})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := weir.Incoming{Source: weir.Source{IP: "91.0.0.1"}}
				e.Apply(&in, nil)
			}
		})
	}
}

// BenchmarkNew is the time to start.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e, err := enrich.New(enrich.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlood is the cost when no user agent ever comes twice.
func BenchmarkFlood(b *testing.B) {
	e := open(b, enrich.Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		in := visit(chrome+strconv.Itoa(i), "91.0.0.1")
		e.Apply(&in, nil)
	}
}

// BenchmarkReferrer is the cost of a page view by its referrer: listed as spam, not listed, and
// a host of as many labels as fit.
func BenchmarkReferrer(b *testing.B) {
	e := open(b, enrich.Options{})
	for name, referrer := range map[string]string{
		"none": "", "spam": "https://a.semalt.com/", "other": "https://blog.example.org/", "many labels": "https://" + strings.Repeat("a.", 125) + "io/",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := visit(chrome, "91.1.3.4")
				in.Source.Referrer = referrer
				e.Apply(&in, nil)
			}
		})
	}
}
