package meta_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/fleettest"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestSessionsKeepWhatTheFleetPromises(t *testing.T) {
	fleettest.RunSessions(t, func(t *testing.T, clock weir.Clock) (a, b fleet.Sessions) {
		s, err := meta.Open(t.Context(), place(t), clock, meta.WithPasswordCost(8, 1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s.Sessions(), s.Sessions()
	})
}
