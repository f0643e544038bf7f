package main

import (
	"context"
	"io"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// profiles are those of the cold tier.
type profiles struct {
	*insight.Engine
	cold cold.Eraser
}

// Erase erases in the cold tier.
func (p profiles) Erase(ctx context.Context, of *weir.Project, profileID, by string) (*insight.Erased, error) {
	return p.Engine.Erase(ctx, of, p.cold, profileID, by)
}

func (e elsewhere) Profiles(context.Context, *weir.Project, insight.ProfilesQuery, time.Duration) (*insight.ProfilePage, error) {
	return nil, e.err("answer questions")
}

func (e elsewhere) Profile(context.Context, *weir.Project, string, time.Duration) (*insight.Profile, error) {
	return nil, e.err("answer questions")
}

func (e elsewhere) Export(context.Context, *weir.Project, string, io.Writer) error {
	return e.err("answer questions")
}

func (e elsewhere) Erase(context.Context, *weir.Project, string, string) (*insight.Erased, error) {
	return nil, e.err("erase profiles")
}
