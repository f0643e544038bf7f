package meta

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// copiedAtOnce is how many rows one statement inserts. A row has at most some 20 values, and a
// statement of SQLite 32,766.
const copiedAtOnce = 500

// tableChange finds the tables that migrations make and drop.
var tableChange = regexp.MustCompile(`(?m)^(CREATE|DROP) TABLE (\w+)`)

// tables returns the tables that the migrations make, each after those that it refers to.
func tables() (names []string, err error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		for _, m := range tableChange.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "CREATE" {
				names = append(names, m[2])
			} else {
				names = slices.DeleteFunc(names, func(name string) bool { return name == m[2] })
			}
		}
	}
	return names, nil
}

// Copy copies all of a store to another one, which has to be empty, and returns the number of
// rows. The copy has the id of the store. It is complete, or nothing is copied. Nobody may
// write to either store meanwhile: what is written after the copy began is not in it. Errors:
// ECONFLICT if the other store is not empty.
func Copy(ctx context.Context, from, to *Store) (rows int, err error) {
	names, err := tables()
	if err != nil {
		return 0, fmt.Errorf("meta: copy: %w", err)
	}
	source, err := from.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // it reads one moment
	if err != nil {
		return 0, fmt.Errorf("meta: copy: %w", err)
	}
	defer func() { _ = source.Rollback() }() // it has only read
	err = to.inTx(ctx, func(tx *sql.Tx) error {
		if err := needEmpty(ctx, tx, names); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM store`); err != nil {
			return err
		}
		for _, name := range names {
			n, err := copyTable(ctx, source, tx, name)
			if err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
			rows += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("meta: copy: %w", err)
	}
	to.id = from.id
	to.Forget()
	return rows, nil
}

// needEmpty refuses a store that has more than its id.
func needEmpty(ctx context.Context, tx *sql.Tx, names []string) error {
	for _, name := range names {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM `+name).Scan(&n); err != nil {
			return err
		}
		if n > 0 && name != "store" {
			return weir.Errorf(weir.ECONFLICT, "the destination is not empty: its table %s has %d rows. Give a new file or an empty database", name, n)
		}
	}
	return nil
}

// copyTable copies the rows of a table.
func copyTable(ctx context.Context, from, to *sql.Tx, name string) (copied int, err error) {
	columns, err := columnsOf(ctx, from, name)
	if err != nil {
		return 0, err
	}
	numbers := make([]string, len(columns))
	for i := range columns {
		numbers[i] = fmt.Sprint(i + 1)
	}
	list := strings.Join(columns, ", ")
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	for {
		// In the order of all columns, so that each part begins where the one before ended.
		values, err := valuesOf(ctx, from, `SELECT `+list+` FROM `+name+` ORDER BY `+strings.Join(numbers, ", ")+` LIMIT ? OFFSET ?`, len(columns), copied)
		if err != nil {
			return 0, err
		}
		n := len(values) / len(columns)
		if n > 0 {
			insert := `INSERT INTO ` + name + ` (` + list + `) VALUES ` + strings.TrimSuffix(strings.Repeat(row+", ", n), ", ")
			if _, err := to.ExecContext(ctx, insert, values...); err != nil {
				return 0, err
			}
		}
		copied += n
		if n < copiedAtOnce {
			return copied, nil
		}
	}
}

// columnsOf returns the names of a table's columns.
func columnsOf(ctx context.Context, tx *sql.Tx, table string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT * FROM `+table+` LIMIT 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	return columns, rows.Err()
}

// valuesOf returns the values of the next rows, one after the other.
func valuesOf(ctx context.Context, tx *sql.Tx, query string, columns, offset int) (values []any, err error) {
	rows, err := tx.QueryContext(ctx, query, copiedAtOnce, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]any, columns)
		into := make([]any, columns)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		values = append(values, row...)
	}
	return values, rows.Err()
}
