"""The middleware for WSGI (PEP 3333): Flask, Django, and their like."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, MutableMapping

from ._record import Ask, Call, Recorder, size_of, trace_of
from ._route import form
from .client import Weir

Environ = MutableMapping[str, Any]


class WSGIMiddleware:
    """Records each call that app answers: method, route, status, latency, consumer, sizes, error, trace.

    The route is environ["weir.route"], or what route(environ) says, or Flask's url_rule; else form() of the path, of which
    there are at most 200, and "other". consumer(environ) names who called, unless environ["weir.consumer"] does; skip(environ)
    leaves calls out; environ["weir.error"] says why a call failed. Functions but skip are asked when the call is answered.

    The call is recorded when its body ends, a stream (text/event-stream) when it begins, an exception as a 500, which is
    raised on.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], weir: Weir, *, route: Ask = None, consumer: Ask = None, skip: Ask = None) -> None:
        self._app, self._recorder = app, Recorder(weir, route, consumer, skip)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._recorder.leaves_out(environ):
            return self._app(environ, start_response)
        path, root, rule, mount = _path(environ), environ.get("SCRIPT_NAME", ""), "", ""

        def route(status: int) -> str:
            # A service's own dispatcher may mount an application under many names, and the server under one.
            return rule if rule and mount == root else self._recorder.forms.bounded(rule or form(path), status)

        call = Call(self._recorder, environ, environ.get("REQUEST_METHOD", ""), route)
        call.trace_id = trace_of(environ.get("HTTP_TRACEPARENT", ""))
        call.request_bytes = size_of(environ.get("CONTENT_LENGTH"), "HTTP_TRANSFER_ENCODING" in environ)

        def start(status: str, headers: Any, *exc_info: Any) -> Any:
            nonlocal rule, mount
            rule, mount = _rule(environ) or rule, environ.get("SCRIPT_NAME", "")
            write = start_response(status, headers, *exc_info)
            call.status = int(status[:3]) if status[:3].isdigit() else 0
            call.content_length = next((size_of(v, True) for k, v in headers if k.lower() == "content-length"), None)
            if any(k.lower() == "content-type" and v.lower().startswith("text/event-stream") for k, v in headers):
                call.stream()

            def writing(chunk: bytes) -> Any:
                call.wrote(chunk)
                return write(chunk)

            return writing

        try:
            body = self._app(environ, start)
        except BaseException as error:
            call.failed(error)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if call.status and (isinstance(body, (list, tuple)) or isinstance(wrapper, type) and isinstance(body, wrapper)):
            # All is there: servers look at the length of a list, and send a file by themselves.
            if isinstance(body, (list, tuple)):
                for chunk in body:
                    call.wrote(chunk)
            else:
                call.response_bytes = call.content_length
            call.record(call.status)
            return body
        return _Body(body, call)


def _rule(environ: Environ) -> str:
    """The rule that Flask matched. It is known while the answer begins: afterwards Flask takes its request away."""
    rule = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    return form(environ.get("SCRIPT_NAME", "")).rstrip("/") + str(rule) if rule else ""


def _path(environ: Environ) -> str:
    raw = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return raw.encode("latin-1", "replace").decode("utf-8", "replace")


class _Body:
    """A body that tells when it has ended."""

    def __init__(self, body: Iterable[bytes], call: Call) -> None:
        self._body, self._call = body, call
        self._next: Any = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._next is None:
                self._next = iter(self._body).__next__
            chunk = self._next()
            self._call.wrote(chunk)
            return chunk
        except StopIteration:
            self._call.record(self._call.status)
            raise
        except BaseException as error:
            self._call.failed(error)
            raise

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._call.record(self._call.status)
