package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
)

// Kinds of ids, as the metric of refused ones has them.
const (
	idProfile = "profile"
	idDevice  = "device"
	idAlias   = "alias"
)

func newIDsRefused() *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_ids_refused_total", Help: "Ids of events that were left out because they stand for nobody, such as null or anonymous, by kind.",
	}, []string{"kind"})
	for _, kind := range []string{idProfile, idDevice, idAlias} {
		v.WithLabelValues(kind)
	}
	return v
}

// dropIllegalIDs removes ids that stand for nobody. Call it before a device is derived.
func (g *Ingester) dropIllegalIDs(e *weir.Event) {
	if e.ProfileID != "" && !weir.LegalID(e.ProfileID) {
		e.ProfileID = ""
		g.metrics.idsRefused.WithLabelValues(idProfile).Inc()
	}
	if e.DeviceID != "" && !weir.LegalID(e.DeviceID) {
		e.DeviceID = ""
		g.metrics.idsRefused.WithLabelValues(idDevice).Inc()
	}
	if e.DropIllegalAlias() {
		g.metrics.idsRefused.WithLabelValues(idAlias).Inc()
	}
}
