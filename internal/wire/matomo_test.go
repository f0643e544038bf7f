package wire_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
)

func TestMatomoGolden(t *testing.T) { goldens(t, wire.Matomo{}) }
