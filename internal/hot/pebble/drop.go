package pebble

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// DropProject implements hot.Eraser, in one step.
func (s *Store) DropProject(ctx context.Context, project string) error {
	crowds := [...]string{project, hot.BotsOf(project)}
	return s.correct(ctx, "drop project", func(b *pebble.Batch) error {
		for _, crowd := range crowds {
			for _, tag := range [...]byte{tagCount, tagUnique} {
				prefix := projectKey(nil, tag, crowd)
				if err := b.DeleteRange(prefix, after(prefix), nil); err != nil {
					return err
				}
			}
		}
		return b.Delete(stepKey(project), nil)
	}, func() {
		s.counts.forget()
		s.uniques.forget()
		for _, crowd := range crowds {
			s.buckets.forget(crowd)
		}
	})
}
