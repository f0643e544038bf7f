package redisconn

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/redis/rueidis"
)

// advice says in words what the first word of a Redis error means.
var advice = []struct{ code, means string }{
	{"NOAUTH", "this Redis asks for a password: redis://USER:PASSWORD@HOST"},
	{"WRONGPASS", "this Redis does not take the user or password"},
	{"NOPERM", "the user of this Redis lacks a permission that Weir needs"},
	{"READONLY", "this Redis is a replica now: a failover is under way, or the URL names the wrong server"},
	{"LOADING", "this Redis is still loading its data"},
	{"OOM", "this Redis has reached its maxmemory"},
	{"CLUSTERDOWN", "this Redis Cluster does not serve all of its slots now"},
	{"MASTERDOWN", "this replica has lost its master"},
	{"MISCONF", "this Redis cannot write its data to disk and takes nothing until it can"},
	{"NOREPLICAS", "this Redis has fewer replicas than min-replicas-to-write asks for"},
	{"TRYAGAIN", "this Redis Cluster is moving the keys to another node"},
}

// phrases is advice on errors that begin with no code of their own.
var phrases = []struct{ says, means string }{
	{"NOAUTH", advice[0].means}, // the answer to HELLO of a server that asks for a password
	{"cluster support disabled", notCluster},
	{"unknown command 'SENTINEL'", "this is not a Sentinel: redis+sentinel:// names the sentinels (port 26379), not the servers"},
	{"No such master", "these sentinels watch no master of this name"},
}

// code returns the first word of a Redis error, "" for any other error.
func code(err error) string {
	if re, ok := errors.AsType[*rueidis.RedisError](err); ok {
		word, _, _ := strings.Cut(strings.TrimPrefix(re.Error(), "-"), " ")
		return word
	}
	return ""
}

// Explain returns the error with its meaning for an operator before its text. Nil stays nil.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	c := code(err)
	for _, a := range advice {
		if a.code == c {
			return fmt.Errorf("%s: %w", a.means, err)
		}
	}
	for _, a := range phrases {
		if strings.Contains(err.Error(), a.says) {
			return fmt.Errorf("%s: %w", a.means, err)
		}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("no authority that this machine knows has signed the certificate of this Redis; name its own with ?ca=FILE: %w", err)
	}
	if untrusted(err) {
		return fmt.Errorf("no TLS connection to this Redis: %w", err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || !op.Timeout()) {
		return fmt.Errorf("this Redis cannot be reached: %w", err)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("this Redis has closed the connection: %w", err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("this Redis does not answer in time: %w", err)
	}
	return err
}

// Full says whether Redis refused a write because its memory is full.
func Full(err error) bool {
	return code(err) == "OOM"
}

// Busy says whether Redis refused a command that will be taken a little later:
// it loads, moves slots, or elects a master.
func Busy(err error) bool {
	switch code(err) {
	case "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY":
		return true
	}
	return false
}

// Moving says whether a command was refused, untouched, because its keys are on
// their way to another node of the cluster.
func Moving(err error) bool {
	switch code(err) {
	case "MOVED", "ASK", "TRYAGAIN":
		return true
	}
	return false
}

// Away says whether Redis cannot be reached, or cannot do now what it could before:
// it loads, has no room, cannot write its file, or lacks its master or its replicas.
// A retry may succeed, with the same configuration of Weir.
func Away(err error) bool {
	switch code(err) {
	case "OOM", "MISCONF", "NOREPLICAS":
		return true
	case "":
	default:
		return Busy(err)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, rueidis.ErrClosing)
}
