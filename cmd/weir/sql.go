package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

type sqlCmd struct {
	remote  `embed:""`
	Project string        `arg:"" help:"Id of the project."`
	SQL     string        `arg:"" help:"The statement; - reads it from standard input."`
	Param   []string      `sep:"none" placeholder:"VALUE" help:"Value of $1, $2 …; a number, true, false and null are taken as such, what is in double quotes as text."`
	Limit   int           `default:"1000" help:"Most rows, up to 10000."`
	Timeout time.Duration `help:"Longest time; the server's own limit when missing."`
	JSON    bool          `name:"json" xor:"format" help:"Print the answer as JSON."`
	CSV     bool          `name:"csv" xor:"format" help:"Print the rows as CSV."`
}

// Help is shown below the usage.
func (*sqlCmd) Help() string {
	return `One SELECT over events, visits, profiles and traits of the project: docs/sql.md.

Examples:

    WEIR_TOKEN=… weir sql PROJECT "SELECT path, count(*) AS views FROM events WHERE name = 'screen_view' GROUP BY path ORDER BY views DESC LIMIT 10"
    WEIR_TOKEN=… weir sql PROJECT --csv --param 500 "SELECT ts, route FROM events WHERE status >= \$1" > errors.csv`
}

// Run asks and prints.
func (c *sqlCmd) Run(ctx context.Context, stdout io.Writer) error {
	statement := c.SQL
	if statement == "-" {
		raw, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return fmt.Errorf("read the statement: %w", err)
		}
		statement = string(raw)
	}
	body := map[string]any{"sql": statement, "limit": c.Limit}
	if c.Timeout > 0 {
		body["timeout_ms"] = c.Timeout.Milliseconds()
	}
	if len(c.Param) > 0 {
		params := make([]any, len(c.Param))
		for i, p := range c.Param {
			if json.Unmarshal([]byte(p), &params[i]) != nil {
				params[i] = p
			}
		}
		body["params"] = params
	}
	c.patience = time.Minute
	path := "/api/v1/projects/" + url.PathEscape(c.Project) + "/sql"
	if c.CSV {
		return c.copyCSV(ctx, path, body, stdout)
	}
	var answer json.RawMessage
	if err := c.call(ctx, http.MethodPost, path, body, &answer); err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintln(stdout, strings.TrimSpace(string(answer)))
		return err
	}
	return printRows(stdout, answer)
}

func (c *sqlCmd) copyCSV(ctx context.Context, path string, body any, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	resp, err := c.sendAccepting(ctx, http.MethodPost, path, "text/csv", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(stdout, resp.Body); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.Header.Get("Weir-Truncated") == "true" {
		fmt.Fprintln(os.Stderr, "weir: there are more rows: raise --limit, or add LIMIT and OFFSET")
	}
	return nil
}

// printRows prints an answer as a table.
func printRows(stdout io.Writer, raw []byte) error {
	var answer struct {
		Columns   []struct{ Name string }
		Rows      [][]any
		Truncated bool
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	line := func(n int, cell func(int) string) {
		for i := range n {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell(i))
		}
		fmt.Fprintln(w)
	}
	line(len(answer.Columns), func(i int) string { return printable(answer.Columns[i].Name) })
	for _, row := range answer.Rows {
		line(len(row), func(i int) string {
			switch v := row[i].(type) {
			case nil:
				return "NULL"
			case bool:
				return strconv.FormatBool(v)
			default:
				return printable(fmt.Sprint(v))
			}
		})
	}
	if err := w.Flush(); err != nil {
		return err
	}
	rows := fmt.Sprintf("(%d rows)", len(answer.Rows))
	if answer.Truncated {
		rows = fmt.Sprintf("(%d rows; there are more: raise --limit, or add LIMIT and OFFSET)", len(answer.Rows))
	}
	_, err := fmt.Fprintln(stdout, rows)
	return err
}

// printable is a text without line breaks and what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
