"""Routes of paths that no pattern is known of."""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any, Mapping, Optional

OTHER = "other"
MOST_FORMS = 200  # routes made of paths, per middleware
MOST_PARTS = 6
LONGEST_PART = 32
MOST_SEARCHED = 64  # parts of a path in which values of parameters are looked for
_WORD = re.compile(r"[A-Za-z._~-]+[0-9]{0,2}\Z", re.ASCII)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"))


def known_method(method: str) -> str:
    """The method, or "other": anybody can make up a method."""
    return method if method in _METHODS else OTHER


def form(path: str, params: Optional[Mapping[str, Any]] = None) -> str:
    """The route of a path that no pattern is known of.

    Parts that look like an id, or anything else than a short word, become {id}; at most six are kept. params are what a router
    read out of the path, by name and in the order in which they stand there: the last parts that are their values become
    {name}, and a value of several parts becomes one.
    """
    parts = [p for p in path.split("/") if p]
    named: list[str] = []  # the end of the path, backwards
    for name, value in reversed(list((params or {}).items()) if len(parts) <= MOST_SEARCHED else []):
        want = [p for p in str(value).split("/") if p]
        size = len(want)
        for end in range(len(parts), size - 1, -1) if size else ():
            here = parts[end - size : end]
            if here == want or size == 1 and _is(here[0], value):
                named += [_kept(p) for p in reversed(parts[end:])] + ["{" + name + "}"]
                parts = parts[: end - size]
                break
    kept = [_kept(p) for p in parts] + named[::-1]
    return "/" + "/".join(kept[:MOST_PARTS] + ["*"] * (len(kept) > MOST_PARTS))


def _kept(part: str) -> str:
    return part if len(part) <= LONGEST_PART and _WORD.match(part) else "{id}"


def _is(part: str, value: Any) -> bool:
    """Whether a part of a path is a value in another way of writing: 007 is 7."""
    if not isinstance(value, (int, float, uuid.UUID)):
        return False
    try:
        return type(value)(part) == value
    except ValueError:
        return False


class Forms:
    """Bounds how many forms there are.

    One that only failed requests have asked for is not added, so that a scanner cannot take the room of what exists.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def bounded(self, route: str, status: int) -> str:
        if route in self._known:
            return route
        if 400 <= status < 500:
            return OTHER
        with self._lock:
            if len(self._known) >= MOST_FORMS:
                return OTHER
            self._known.add(route)
        return route
