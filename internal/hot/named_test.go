package hot_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/weir-analytics/weir/internal/hot"
)

// Who asks no longer waits for the names of many members.
func TestNamingOfMembersEndsWithItsQuestion(t *testing.T) {
	n := hot.NewMemberNumbers()
	for i := range 10_000 {
		n.Number(hot.Route, fmt.Sprint("/", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	named := 0
	questions := []hot.Question{{Dimension: hot.Route, Named: func(member string) string {
		if named++; named == 100 {
			cancel()
		}
		return member
	}}}
	if _, err := n.NamedBefore(ctx, &sync.Mutex{}, questions); !errors.Is(err, context.Canceled) || named > 1000 {
		t.Errorf("%d members were named, %v", named, err)
	}
	named = 1000
	if out, err := n.NamedBefore(t.Context(), &sync.Mutex{}, questions); err != nil || out[0].Named("/17") != "/17" || named != 11_000 {
		t.Errorf("%d members were named, %v", named-1000, err)
	}
}
