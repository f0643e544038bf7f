package weir_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// licences are told by words that stand in their texts and in no other's, and
// are all good for a program under Apache-2.0.
var licences = []struct{ name, words string }{
	{"Apache-2.0", "Apache License Version 2.0, January 2004"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"},
	{"BSD", "Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"},
}

// excused are modules under a licence that asks for more. NOTICE names each.
var excused = map[string]string{
	// Copyleft by file: it is linked as it is, and NOTICE says where its source is.
	"github.com/hashicorp/go-version":    "Mozilla Public License, version 2.0",
	"github.com/hashicorp/golang-lru/v2": "Mozilla Public License, version 2.0",
}

// webLicences are those of the npm packages that the dashboard is built from.
var webLicences = []string{"0BSD", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT", "OFL-1.1", "Unlicense"}

// licenceOf names the licence of a text, or is "".
func licenceOf(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range licences {
		if strings.Contains(text, l.words) {
			return l.name
		}
	}
	return ""
}

// licenceFault says what is wrong with a module's licence, or is "".
func licenceFault(module, text string) string {
	name := licenceOf(text)
	if words, ok := excused[module]; ok && name == "" && strings.Contains(strings.Join(strings.Fields(text), " "), words) {
		return ""
	}
	if name == "" {
		return fmt.Sprintf("%s: its licence is none of those that are known to be good: %.60q", module, text)
	}
	return ""
}

func TestEveryLinkedModuleHasAGoodLicence(t *testing.T) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, "./cmd/weir").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	modules := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(modules)
	modules = slices.Compact(modules)
	if len(modules) < 10 {
		t.Fatalf("%d modules: go list did not say what is linked", len(modules))
	}
	for _, m := range modules {
		path, dir, _ := strings.Cut(m, " ")
		text, err := readLicence(dir)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if f := licenceFault(path, text); f != "" {
			t.Error(f)
		}
	}
}

// readLicence is the licence of the module in dir.
func readLicence(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		switch name, _, _ := strings.Cut(strings.ToUpper(e.Name()), "."); name {
		case "LICENSE", "LICENCE", "COPYING":
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			return string(text), err
		}
	}
	return "", fmt.Errorf("no licence in %s", filepath.Base(dir))
}

func TestEveryPackageOfTheDashboardHasAGoodLicence(t *testing.T) {
	raw, err := os.ReadFile("web/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Licence string `json:"license"`
			Dev     bool   // a tool: nothing of it is in what is built
			Link    bool   // to a folder of ours, which is listed too
		}
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) < 10 {
		t.Fatalf("%d packages in the lock file", len(lock.Packages))
	}
	for path, p := range lock.Packages {
		if !p.Dev && !p.Link && !slices.Contains(webLicences, p.Licence) {
			t.Errorf("%s: licence %q is none of those that are known to be good", path, p.Licence)
		}
	}
}

func TestACopyleftLicenceIsFound(t *testing.T) {
	mozilla := "Mozilla Public License,\n  version 2.0"
	for _, c := range []struct {
		module, text string
		good         bool
	}{
		{"example.com/a", "The MIT License\n\nPermission is hereby granted, free of charge, to any person\nobtaining a copy of this software and", true},
		{"example.com/a", "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007", false},
		{"example.com/a", mozilla, false},
		{"github.com/hashicorp/golang-lru/v2", mozilla, true},
		{"github.com/hashicorp/golang-lru/v2", "Business Source License 1.1", false},
		{"example.com/a", "", false},
	} {
		if got := licenceFault(c.module, c.text); (got == "") != c.good {
			t.Errorf("%s, %.30q: %q", c.module, c.text, got)
		}
	}
}
