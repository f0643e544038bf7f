package meta

import (
	"context"
	"fmt"

	"github.com/weir-analytics/weir/internal/meta/postgres"
)

// openPostgres opens the database of a URL. name is the URL without its password.
func openPostgres(url string) (e *engine, name string, err error) {
	c, err := postgres.Parse(url)
	if err != nil {
		return nil, "", err
	}
	write, read := c.Open()
	return &engine{
		write: write, read: read,
		ddl: postgres.DDL,
		// Rows that were deleted stay in the table's file until it is written anew.
		forget: func(ctx context.Context) error {
			read, err := postgres.Rewrite(ctx, write, "salts", "salts_pkey")
			if read {
				return fmt.Errorf("%w, so that they are still in it", errRead)
			}
			return err
		},
	}, c.Address(), nil
}
