"""Routes of paths that no pattern is known of."""

from __future__ import annotations

import re
import threading
from typing import Mapping, Optional

OTHER = "other"
MOST_FORMS = 200  # routes made of paths, per middleware
MOST_PARTS = 6
LONGEST_PART = 32
_WORD = re.compile(r"[A-Za-z._~-]+[0-9]{0,2}\Z", re.ASCII)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"))


def known_method(method: str) -> str:
    """The method, or "other": anybody can make up a method."""
    return method if method in _METHODS else OTHER


def form(path: str, params: Optional[Mapping[str, str]] = None) -> str:
    """The route of a path that no pattern is known of.

    Parts that look like an id, or anything else than a short word, become {id}; at most six are kept. params are names of
    parts by their value.
    """
    parts = [p for p in path.split("/") if p]
    kept = []
    for part in parts[:MOST_PARTS]:
        if params and part in params:
            kept.append("{" + params[part] + "}")
        elif len(part) <= LONGEST_PART and _WORD.match(part):
            kept.append(part)
        else:
            kept.append("{id}")
    if len(parts) > MOST_PARTS:
        kept.append("*")
    return "/" + "/".join(kept)


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
