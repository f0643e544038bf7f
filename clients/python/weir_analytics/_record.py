"""What the two middlewares have in common."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any, Callable, Mapping, MutableMapping, Optional

from ._route import Forms, known_method
from .client import Weir

ROUTE = "weir.route"  # set in environ or scope by who knows the route
CONSUMER = "weir.consumer"  # and by who knows who called
ERROR = "weir.error"  # and by who knows why the call failed
_MARK = "weir.recorded_by"

Ask = Optional[Callable[[MutableMapping[str, Any]], Any]]


def key_consumer(header: str) -> Callable[[Mapping[str, Any]], str]:
    """A function for consumer that tells callers apart by the API key in a header.

    It does not tell the key, but "key-" and 12 hex digits of its SHA-256.
    """
    variable = "HTTP_" + header.upper().replace("-", "_")
    name = header.lower().encode("latin-1")

    def consumer(request: Mapping[str, Any]) -> str:
        if "REQUEST_METHOD" in request:
            key = request.get(variable, "").encode("latin-1", "replace")
        else:
            key = next((v for k, v in request.get("headers", ()) if k.lower() == name), b"")
        return "key-" + hashlib.sha256(key).hexdigest()[:12] if key else ""

    return consumer


_TRACEPARENT = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(header: str) -> str:
    """The trace id of a traceparent header (www.w3.org/TR/trace-context), "" without one."""
    found = _TRACEPARENT.match(header)
    return found[1] if found and found[1].strip("0") else ""


def size_of(length: Optional[str], chunked: bool) -> Optional[int]:
    """What the head says of a body: 0 without one, None of a body in chunks."""
    if not length:
        return None if chunked else 0
    return int(length) if length.isdigit() and length.isascii() else None


class Recorder:
    """Asks the service's functions, whose exceptions change nothing."""

    def __init__(self, weir: Weir, route: Ask, consumer: Ask, skip: Ask) -> None:
        self.weir, self.forms = weir, Forms()
        self._route, self._consumer, self._skip = route, consumer, skip

    def leaves_out(self, request: MutableMapping[str, Any]) -> bool:
        """Whether the call is left out, or is recorded by a middleware around this one."""
        if request.get(_MARK) is self.weir or self._ask(self._skip, request):
            return True
        request[_MARK] = self.weir
        return False

    def _ask(self, function: Ask, request: MutableMapping[str, Any]) -> Any:
        if function is None:
            return None
        try:
            return function(request)
        except Exception:
            self.weir._log.exception("a function raised")
            return None

    def route(self, request: MutableMapping[str, Any]) -> str:
        return str(request.get(ROUTE) or self._ask(self._route, request) or "")

    def consumer(self, request: MutableMapping[str, Any]) -> str:
        named = request.get(CONSUMER)
        return str((self._ask(self._consumer, request) if named is None else named) or "")


class Call:
    """A call that is being answered; it is recorded once."""

    def __init__(self, recorder: Recorder, request: MutableMapping[str, Any], method: str, route: Callable[[int], str]) -> None:
        self._recorder, self._request, self._method, self._route = recorder, request, method, route
        self._at, self._begun = time.time(), time.perf_counter()
        self._recorded = False
        self.status = 0
        self.error = ""
        self.trace_id = ""
        self.request_bytes: Optional[int] = None
        self.response_bytes: Optional[int] = 0
        self.content_length: Optional[int] = None  # that the answer's head says

    def failed(self, error: BaseException, status: int = 500) -> None:
        """Records a call that ended with an exception."""
        message = str(error)
        self.error = type(error).__name__ + (": " + message if message else "")
        if not self.status:
            self.response_bytes = None  # the server answers
        self.record(status)

    def wrote(self, chunk: Any) -> None:
        if self.response_bytes is not None:
            self.response_bytes += len(chunk)

    def stream(self) -> None:
        """Records a stream, which has begun: how much it will send is unknown."""
        self.response_bytes = None
        self.record(self.status)

    def record(self, status: int) -> None:
        if self._recorded:
            return
        self._recorded = True
        latency = (time.perf_counter() - self._begun) * 1000
        r = self._recorder
        try:
            route = r.route(self._request) or self._route(status)
            call: dict[str, Any] = {"method": known_method(self._method), "route": route, "status": status, "latency_ms": max(latency, 0.001)}
            if self._method == "HEAD" or status in (204, 304):
                self.response_bytes = 0  # the server sends no body
            call.update(request_bytes=self.request_bytes, response_bytes=self.response_bytes, trace_id=self.trace_id)
            call.update(consumer=r.consumer(self._request), error=str(self._request.get(ERROR) or self.error))
            r.weir.send({"ts": self._at, "call": call})
        except Exception:  # whatever it is, the service's answer is not to suffer
            r.weir._log.exception("a call was not recorded")
