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
		Name: "weir_ids_refused_total", Help: "Ids that came with events, stand for nobody, such as null or anonymous, and were left out, by kind.",
	}, []string{"kind"})
	for _, kind := range []string{idProfile, idDevice, idAlias} {
		v.WithLabelValues(kind)
	}
	return v
}

// dropIllegalIDs takes ids that stand for nobody for absent. It has to come before a
// device is derived, and for every way in.
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
