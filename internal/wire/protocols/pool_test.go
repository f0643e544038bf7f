package protocols_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/umami"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// zeroReader makes the ids of answers the same each time.
type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Decoders and buffers are used again and again: what comes of a request must not depend
// on the requests beside it, nor change after it.
func TestRequestsOfAllProtocolsAtOnceAreReadAsIfAlone(t *testing.T) {
	type request struct {
		name     string
		protocol wire.Protocol
		asked    wire.Request
		body     []byte
		want     string
	}
	var all []*request
	add := func(p wire.Protocol) func(string, *wire.Request) {
		return func(name string, r *wire.Request) {
			each := &request{name: p.Vendor() + " " + name, protocol: p, asked: *r, body: r.Body}
			each.want = wiretest.Outcome(p, r)
			all = append(all, each)
		}
	}
	spoken := []wire.Protocol{posthog.Protocol{Random: zeroReader{}}, openpanel.Protocol{}, segment.Protocol{}, ga4.Protocol{}, plausible.Protocol{}, umami.Protocol{}, matomo.Protocol{}, mixpanel.Protocol{}, amplitude.Protocol{}}
	for _, p := range spoken {
		wiretest.EachGolden(t, p, add(p))
	}
	var done sync.WaitGroup
	for worker := range 8 {
		done.Go(func() {
			for round := range 3 {
				for i := range all {
					each := all[(i*7+worker*31+round)%len(all)]
					r := each.asked
					r.Body = bytes.Clone(each.body)
					sent, err := wiretest.DecodeSent(each.protocol, &r)
					shown := ""
					if err == nil {
						shown = fmt.Sprintf("%+v", sent.Parts)
					}
					r.Body = each.body
					if got := wiretest.Outcome(each.protocol, &r); got != each.want {
						t.Errorf("%s:\n%s\nalone:\n%s", each.name, got, each.want)
						return
					}
					if err == nil && fmt.Sprintf("%+v", sent.Parts) != shown {
						t.Errorf("%s: what was decoded has changed since", each.name)
						return
					}
				}
			}
		})
	}
	done.Wait()
}
