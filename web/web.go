// Package web is the dashboard: its source, and the built files for the server
// to serve.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist is the built dashboard, with index.html at its root. It holds nothing
// but .gitkeep in a binary that was built without "npm run build".
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	return sub
}
