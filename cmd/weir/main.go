// Command weir is the server and its tools: flags, wiring, and one file per subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // timezones, wherever the machine has none

	"github.com/alecthomas/kong"
	"github.com/weir-analytics/weir/internal/datadir"
)

// version is set when a release is built.
var version = "dev"

// cli is the command line. Each flag may also come from the environment, as
// WEIR_ and its name.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Import  importCmd  `cmd:"" help:"Import access logs, and exports of other tools."`
	Project projectCmd `cmd:"" help:"Make, list and change projects."`
	Key     keyCmd     `cmd:"" help:"Make, list and revoke write keys."`
	Member  memberCmd  `cmd:"" help:"List, add, change and remove a project's members."`
	Admin   adminCmd   `cmd:"" help:"List, add and remove administrators of the server."`
	KeyRing keyRingCmd `cmd:"" name:"key-ring" help:"Add a key to the key ring, and list its keys."`
	Token   tokenCmd   `cmd:"" help:"Make, list and revoke API tokens."`
	Share   shareCmd   `cmd:"" help:"Make, list, change and end shared links."`
	Audit   auditCmd   `cmd:"" help:"List who did what, to what, when and from where."`
	Delete  deleteCmd  `cmd:"" help:"Delete events as if they had never come; undo an import."`
	Profile profileCmd `cmd:"" help:"Export and erase profiles."`
	User    userCmd    `cmd:"" help:"List, invite, deactivate and sign out people; links to reset a password."`
	SQL     sqlCmd     `cmd:"" name:"sql" help:"Ask a project in SQL."`
	Report  reportCmd  `cmd:"" help:"Print, compute and schedule daily reports."`
	Migrate migrateCmd `cmd:"" help:"Copy the past to another cold tier."`
	Bench   benchCmd   `cmd:"" help:"Measure a running server."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	// The first signal asks the command to stop, the second ends it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run parses the arguments, runs the command, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	datadir.KeepPrivate()
	status := -1
	parser, err := kong.New(&cli{},
		kong.Name("weir"),
		kong.Description("Weir holds a river of events back just enough to measure it: real-time product and API analytics.\n\n"+
			"Examples:\n\n    weir serve\n    weir serve --listen 0.0.0.0:8080 --data /var/lib/weir\n    weir import --key KEY access.log"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { status = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.Bind(logWriter{stderr}),
		kong.WithHyphenPrefixedParameters(true), // --from -7d
		kong.Vars{"version": version},
	)
	if err != nil {
		fmt.Fprintln(stderr, "weir:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if status >= 0 { // --help was printed
		return status
	}
	if err != nil {
		fmt.Fprintln(stderr, "weir:", err)
		return 2
	}
	if err := k.Run(); err != nil {
		fmt.Fprintln(stderr, "weir:", err)
		if errors.As(err, new(usageError)) {
			return 2
		}
		return 1
	}
	return 0
}

// usageError is a mistake in the command line: it names the flag, and the exit status
// is 2, as for what kong itself finds. All other errors are 1.
type usageError struct{ error }

// Unwrap is for errors.Is and errors.As.
func (e usageError) Unwrap() error { return e.error }

// misuse makes err, unless it is nil, a usageError.
func misuse(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

type versionCmd struct{}

// Help is shown below the usage.
func (versionCmd) Help() string {
	return `Example:

    weir version`
}

// Run prints the version.
func (versionCmd) Run(stdout io.Writer) error {
	_, err := fmt.Fprintln(stdout, "weir", version)
	return err
}
