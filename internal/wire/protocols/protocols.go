// Package protocols lists the protocols that Weir speaks. A new one has its own folder
// beside this one, and a line here.
package protocols

import (
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/otlp"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/sharedpath"
	"github.com/weir-analytics/weir/internal/wire/umami"
)

// All returns all protocols. consumers are those of otlp.Protocol.
func All(consumers []string) []wire.Protocol {
	return []wire.Protocol{
		native.Protocol{},
		otlp.Protocol{Consumers: consumers},
		plausible.Protocol{},
		matomo.Protocol{},
		segment.Protocol{},
		ga4.Protocol{},
		posthog.Protocol{},
		openpanel.Protocol{},
		mixpanel.Protocol{},
		amplitude.Protocol{},
		sharedpath.Protocol{PostHog: posthog.Protocol{}, OpenPanel: openpanel.Protocol{}, Mixpanel: mixpanel.Protocol{}, Amplitude: amplitude.Protocol{}},
		umami.Protocol{},
	}
}
