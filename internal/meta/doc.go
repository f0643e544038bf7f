// Package meta stores users, projects, roles, keys, tokens, login sessions and salts in SQLite or
// in PostgreSQL. DESIGN.md says how to write a query and a migration for both.
//
// No secret that lets somebody in is stored in clear: passwords are argon2id hashes; write
// keys, API tokens and session tokens are SHA-256 sums (they are random, with 128 bits or
// more, so a slow hash would add nothing). Secrets that must be used as they are, such
// as those that sign webhooks, are encrypted with the key ring.
//
// The package has over 3,500 lines because it has every table: a file or two for each thing
// that is stored, which share only the engine, the caches and the secrets.
package meta
