package wire_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/wire"
)

func TestSegmentGolden(t *testing.T) { holdDialogues(t, wire.Segment{}, "testdata/segment") }

func TestSegmentsSDKsAreUnderstood(t *testing.T) {
	at := time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)
	for _, sdk := range []string{"segment-node", "segment-next"} {
		t.Run(sdk, func(t *testing.T) { holdRecordings(t, wire.Segment{}, sdk, "testdata/segment/"+sdk+".want", at) })
	}
}
