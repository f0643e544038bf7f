"""Requests, one at a time."""

from __future__ import annotations

import email.utils
import gzip
import http.client
import json
import random
import socket
import ssl
import time
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

from ._event import VERSION

FIRST_BACKOFF = 0.25  # s
LONGEST_AFTER = 900.0  # s, of a Retry-After
_COMPRESS_FROM = 1024  # bytes
_LONGEST_ANSWER = 8 << 20
_LONGEST_IDLE = 15.0  # s; an older connection may be closed at its other end


class Failed(Exception):
    """The request may do later; after is how long the server asks to be left alone, in s."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


class TooLarge(Exception):
    pass


class Refused(Exception):
    pass


def backoff(attempt: int, longest: float) -> float:
    """Doubles with each try; the upper half is random, so that services do not come back all at once."""
    d = min(FIRST_BACKOFF * 2 ** min(attempt, 20), longest)
    return d / 2 + random.random() * d / 2


def retry_after(header: Optional[str], now: Optional[float] = None) -> float:
    """Reads the header (RFC 9110, section 10.2.3): seconds, or a date. Up to a tenth is added at random."""
    if not header:
        return 0.0
    if header.isascii() and header.isdigit():
        d = float(header)
    else:
        try:
            d = email.utils.parsedate_to_datetime(header).timestamp() - (time.time() if now is None else now)
        except (TypeError, ValueError, IndexError, OverflowError):
            return 0.0
    return min(max(d, 0.0), LONGEST_AFTER) * (1 + random.random() / 10)


class Connection:
    """One connection to the server, opened again when it is lost."""

    def __init__(self, url: str, key: str, timeout: float, context: Optional[ssl.SSLContext]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("url: want http:// or https:// and a host")
        if not isinstance(key, str) or not key.strip() or "\r" in key or "\n" in key or not key.isascii():
            raise ValueError("key: want a write key")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + "/v1/events"
        self._key, self._timeout, self._context = key, timeout, context
        self._conn: Optional[http.client.HTTPConnection] = None
        self._used = 0.0

    def post(self, lines: List[bytes]) -> Tuple[int, int, List[Dict[str, Any]]]:
        """Sends lines: how many were accepted, how many are duplicates, which are rejected.

        Raises Failed, TooLarge or Refused.
        """
        body = b"\n".join(lines) + b"\n"
        headers = {
            "Authorization": "Bearer " + self._key,
            "Content-Type": "application/x-ndjson",
            "User-Agent": "weir-python/" + VERSION,
        }
        if len(body) >= _COMPRESS_FROM:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        try:
            response, raw = self._request(body, headers)
        except (OSError, http.client.HTTPException) as e:
            self.close()
            raise Failed(f"{type(e).__name__}: {e}") from e
        said = f"{response.status} {response.reason}"
        if response.status == 413:
            raise TooLarge(said)
        if response.status in (408, 425, 429) or response.status >= 500:
            raise Failed(said, retry_after(response.headers.get("Retry-After")))
        if response.status not in (200, 400):
            raise Refused(f"{said}: {raw[:200]!r}")
        try:
            reply = json.loads(raw)
            accepted, duplicates, rejected = reply["accepted"], reply["duplicates"], reply["rejected"]
            whole = accepted + duplicates + len(rejected) == len(lines) and all(0 <= r["index"] < len(lines) for r in rejected)
        except (ValueError, TypeError, KeyError):
            whole = False
        if not whole and response.status == 400:  # of the request, not of its events
            raise Refused(f"{said}: {raw[:200]!r}")
        if not whole:
            raise Failed("the answer is not of this request")
        return accepted, duplicates, rejected

    def _request(self, body: bytes, headers: Dict[str, str]) -> Tuple[http.client.HTTPResponse, bytes]:
        if self._conn is not None and time.monotonic() - self._used > _LONGEST_IDLE:
            self.close()
        conn = self._conn
        if conn is None:
            if self._secure:
                conn = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
            else:
                conn = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            self._conn = conn
        conn.request("POST", self._path, body, headers)
        response = conn.getresponse()
        raw = response.read(_LONGEST_ANSWER)
        self._used = time.monotonic()
        if response.will_close or not response.isclosed():
            self.close()
        return response, raw

    def close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()

    def abort(self) -> None:
        """Ends the request under way, from another thread."""
        conn = self._conn
        sock = conn.sock if conn is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
