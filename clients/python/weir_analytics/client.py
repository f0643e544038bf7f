"""The batching sender."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import ssl
import threading
import time
import weakref
from multiprocessing import parent_process
from multiprocessing.util import Finalize, register_after_fork
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional

from ._event import encode
from ._queue import Queue
from ._send import Connection, Failed, Refused, TooLarge, backoff

_REASONS = ("full", "large", "invalid", "refused", "expired", "closed")


class Rejection(NamedTuple):
    """An event that the server did not take."""

    reason: str  # a stable word
    detail: str  # for people
    event: bytes  # as it was sent


class Stats(NamedTuple):
    """Counts of events; offered is the sum of accepted, duplicates, rejected, dropped and queued."""

    offered: int
    accepted: int
    duplicates: int  # taken by the server before; the answer to it was lost
    rejected: int
    dropped: Dict[str, int]  # by reason: full, large, invalid, refused, expired, closed
    queued: int
    retries: int
    queued_bytes: int


class Weir:
    """Sends events in batches, from a thread of its own.

    Nothing here waits for the server but flush and close: while it is away, events stay within queue_bytes, and those beyond
    are dropped and counted. A batch is sent again, under the same ids, until the server acknowledges it; the server takes an
    id once. It is safe for concurrent use, and after a fork the child sends with a thread of its own. At the end of the
    interpreter it is closed.

    url is the server's, key a write key. interval, timeout (of one request), max_backoff, retry_for (less than the server's
    dedup window) and close_timeout are in seconds. on_rejected is told of a list of Rejection, on_dropped of a reason and a
    number; both are called from the thread, and must not call flush or close. ValueError says that url or key are wrong.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        batch_events: int = 1000,
        batch_bytes: int = 256 << 10,
        interval: float = 1.0,
        queue_bytes: int = 16 << 20,
        timeout: float = 10.0,
        max_backoff: float = 30.0,
        retry_for: float = 12 * 3600.0,
        close_timeout: float = 5.0,
        on_rejected: Optional[Callable[[List[Rejection]], Any]] = None,
        on_dropped: Optional[Callable[[str, int], Any]] = None,
        logger: Optional[logging.Logger] = None,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        self._new_connection = lambda: Connection(url, key, timeout, ssl_context)
        self._new_queue = lambda: Queue(batch_events, batch_bytes, queue_bytes)
        self._interval, self._max_backoff, self._retry_for, self._close_timeout = interval, max_backoff, retry_for, close_timeout
        self._on_rejected, self._on_dropped = on_rejected, on_dropped
        self._log = logger or logging.getLogger("weir_analytics")
        self._begin()
        _register(self)

    def _begin(self) -> None:
        """Sets all that a forked child has anew."""
        self._connection = self._new_connection()
        self._queue = self._new_queue()
        self._changed = threading.Condition()  # guards all below
        self._thread: Optional[threading.Thread] = None
        self._closed = False
        self._close_by: Optional[float] = None  # monotonic
        self._dead = False  # close gave the thread up
        self._pushed = self._settled = self._wanted = 0
        self._offered = self._accepted = self._duplicates = self._rejected = self._retries = 0
        self._dropped = dict.fromkeys(_REASONS, 0)
        self._told = dict.fromkeys(_REASONS, 0)
        self._failing = False

    def send(self, event: Mapping[str, Any]) -> bool:
        """Takes an event to be sent; it never waits for the server and never raises.

        Keys are those of POST /v1/events; ts is a datetime, seconds since 1970, or RFC 3339. False if the event was dropped:
        stats say why.
        """
        try:
            line = encode(event)
        except Exception:
            line = b""
        with self._changed:
            self._offered += 1
            if self._closed:
                why = "closed"
            elif not line:
                why = "invalid"
            else:
                why = self._queue.push(line)
            if why:
                self._dropped[why] += 1
                return False
            self._pushed += 1
            if self._thread is None:
                self._start()
            if self._queue.events == 1 or self._queue.due(self._interval) == 0.0:
                self._changed.notify_all()
        return True

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="weir", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # the interpreter is ending: close sends
        self._thread = thread

    def stats(self) -> Stats:
        with self._changed:
            dropped = dict(self._dropped)
            queued = self._offered - self._accepted - self._duplicates - self._rejected - sum(dropped.values())
            return Stats(self._offered, self._accepted, self._duplicates, self._rejected, dropped, queued, self._retries, self._queue.bytes)

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Sends what there is at once, and waits until it is delivered or given up; False if that takes longer than timeout."""
        with self._changed:
            target = self._pushed
            self._wanted = max(self._wanted, target)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled >= target, timeout)

    def close(self, timeout: Optional[float] = None) -> int:
        """Sends what there is and ends the client: how many events were dropped for want of time.

        What is still there after the timeout (close_timeout when None) is dropped, as soon as it is clear that it will be.
        """
        with self._changed:
            first = not self._closed
            self._closed = True
            if self._close_by is None:
                self._close_by = time.monotonic() + (self._close_timeout if timeout is None else timeout)
            close_by, thread, before = self._close_by, self._thread, self._dropped["closed"]
            self._changed.notify_all()
        _forget(self)
        if thread is None:
            if first:
                self._run()
        else:
            thread.join(max(close_by - time.monotonic(), 0.0))
            if thread.is_alive():
                self._connection.abort()
                thread.join(0.5)
            with self._changed:
                if thread.is_alive() and not self._dead:  # it hangs in a look-up, say
                    self._dead = True
                    self._dropped["closed"] += self._queue.events
                    self._settled = self._pushed
                    self._changed.notify_all()
        return self._dropped["closed"] - before

    def __enter__(self) -> "Weir":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # What follows runs in the thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                while True:
                    wait = self._queue.due(self._interval)
                    if wait is None and self._closed:
                        break
                    if wait is not None and (wait == 0.0 or self._closed or self._wanted > self._settled):
                        break
                    self._changed.wait(wait)
                batch = None if wait is None else self._queue.take()
            if batch is None:
                break
            self._deliver(batch.lines)
            with self._changed:
                if self._dead:
                    return
                self._queue.settle(batch)
                self._settled += len(batch.lines)
                self._changed.notify_all()
            self._tell()
        self._connection.close()
        self._tell()

    def _deliver(self, lines: List[bytes]) -> None:
        """Sends the lines until they are delivered, or given up and counted."""
        began = time.monotonic()
        parts = [lines]
        while parts:
            part = parts.pop()
            attempt = 0
            while True:
                if self._close_by is not None and time.monotonic() >= self._close_by:
                    self._drop("closed", len(part))
                    break
                try:
                    self._acknowledged(part, *self._connection.post(part))
                    self._note("")
                    break
                except TooLarge:
                    self._note("")
                    if len(part) == 1:
                        self._drop("large", 1)
                    else:
                        mid = len(part) // 2
                        parts += (part[mid:], part[:mid])
                    break
                except Refused as e:
                    self._note(str(e))
                    self._drop("refused", len(part))
                    break
                except Failed as e:
                    self._note(str(e))
                    after = e.after
                except Exception as e:  # a fault of ours is not to end the thread
                    self._note(repr(e))
                    after = 0.0
                wait = max(backoff(attempt, self._max_backoff), after)
                if time.monotonic() - began + wait > self._retry_for:
                    self._drop("expired", len(part))
                    break
                self._tell()
                woken = self._pause(wait, after > 0)
                if woken is None:
                    self._drop("closed", len(part))
                    break
                attempt = 0 if woken else attempt + 1  # of the few that close has time for
                with self._changed:
                    self._retries += 1

    def _pause(self, wait: float, asked: bool) -> Optional[bool]:
        """Waits. None: there is no time for it; True: close woke it, which it does unless the server asked for the time."""
        until = time.monotonic() + wait
        with self._changed:
            closing = self._closed
            while True:
                if self._close_by is not None and (closing or asked) and until > self._close_by:
                    return None
                if self._closed and not closing and not asked:
                    return True
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)

    def _acknowledged(self, lines: List[bytes], accepted: int, duplicates: int, rejected: List[Dict[str, Any]]) -> None:
        with self._changed:
            if self._dead:
                return
            self._accepted += accepted
            self._duplicates += duplicates
            self._rejected += len(rejected)
        if rejected:
            self._log.warning("%d events were rejected: %s %s", len(rejected), rejected[0].get("reason"), rejected[0].get("detail", ""))
            if self._on_rejected is not None:
                self._guard(lambda: self._on_rejected([Rejection(r["reason"], r.get("detail", ""), lines[r["index"]]) for r in rejected]))

    def _drop(self, reason: str, events: int) -> None:
        with self._changed:
            if not self._dead:
                self._dropped[reason] += events

    def _note(self, error: str) -> None:
        if bool(error) != self._failing:
            self._failing = bool(error)
            if error:
                self._log.warning("events cannot be sent: %s", error)
            else:
                self._log.info("events are sent again")

    def _tell(self) -> None:
        with self._changed:
            news = [(r, n - self._told[r]) for r, n in self._dropped.items() if n > self._told[r]]
            self._told = dict(self._dropped)
        for reason, events in news:
            self._log.warning("%d events were dropped: %s", events, reason)
            if self._on_dropped is not None:
                self._guard(self._on_dropped, reason, events)

    def _guard(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            function(*args)
        except Exception:
            self._log.exception("a function raised")


# Those that are open: for the interpreter's end, and for forks.
_open: "weakref.WeakSet[Weir]" = weakref.WeakSet()


def _register(weir: Weir) -> None:
    _open.add(weir)


def _forget(weir: Weir) -> None:
    _open.discard(weir)


def _at_exit() -> None:
    for weir in list(_open):
        weir.close()


def _in_child() -> None:
    for weir in list(_open):
        weir._begin()  # the parent sends what was there


def _in_process(_: Any) -> None:
    """Closes the clients of a child of multiprocessing when it ends: such a child skips atexit.

    multiprocessing calls it in a child that has begun. Pool ends its workers with SIGTERM: if the service handles that signal
    in no way of its own, it closes the clients first.
    """
    Finalize(None, _end_process, exitpriority=-100)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_terminate)


def _end_process() -> None:
    """Closes the clients, while Pool's SIGTERM is ignored: closing has its own timeout."""
    if signal.getsignal(signal.SIGTERM) is _on_terminate:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _at_exit()


def _on_terminate(number: int, _: Any) -> None:
    _end_process()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


register_after_fork(_in_process, _in_process)  # the hook lives as long as its first argument
if parent_process() is not None:
    _in_process(None)  # this is imported in a child that has begun
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
