"""The middleware for ASGI 3: FastAPI, Starlette, Django, and their like."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Awaitable, Callable, MutableMapping

from ._record import Ask, Call, Recorder, size_of, trace_of
from ._route import form
from ._starlette import pattern
from .client import Weir

Scope = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]


class ASGIMiddleware:
    """Records each call that app answers: method, route, status, latency, consumer, sizes, error, trace.

    The route is scope["weir.route"], or what route(scope) says, or the pattern that Starlette or FastAPI found; else form() of
    the path with the names of scope["path_params"], of which there are at most 200, and "other".
    consumer(scope) names who called, unless scope["weir.consumer"] does; skip(scope) leaves calls out; scope["weir.error"] says
    why a call failed.

    The call is recorded when its answer ends, without what runs in the background after it; a stream (text/event-stream) when
    it begins, and a WebSocket when it is accepted, as a 101. An exception is a 500, and is raised on; a call that is cancelled
    before its answer is a 499. When the service's lifespan ends, what waits is sent.
    """

    def __init__(self, app: App, weir: Weir, *, route: Ask = None, consumer: Ask = None, skip: Ask = None) -> None:
        self._app, self._recorder = app, Recorder(weir, route, consumer, skip)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, self._ending(send))
        elif kind not in ("http", "websocket") or self._recorder.leaves_out(scope):
            await self._app(scope, receive, send)
        else:
            await self._record(scope, receive, send)

    async def _record(self, scope: Scope, receive: Any, send: Any) -> None:
        path, root = scope.get("path", ""), scope.get("root_path", "")
        call = Call(self._recorder, scope, scope.get("method", "GET"), lambda status: self._route(scope, path, root, status))
        headers = {k.lower(): v.decode("latin-1") for k, v in scope.get("headers", ())}
        call.trace_id = trace_of(headers.get(b"traceparent", ""))
        call.request_bytes = size_of(headers.get(b"content-length"), b"transfer-encoding" in headers)

        async def sending(message: MutableMapping[str, Any]) -> None:
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                call.status = message["status"]
                if any(k.lower() == b"content-type" and v.lower().startswith(b"text/event-stream") for k, v in message.get("headers", ())):
                    call.stream()
            elif kind == "websocket.accept":
                call.status = 101
                call.stream()
            elif kind == "http.response.body":
                call.wrote(message.get("body", b""))
            elif kind == "http.response.pathsend":
                call.response_bytes = None
            elif kind == "websocket.close":
                call.status = 403
                call.stream()
            await send(message)
            if kind == "http.response.body" and not message.get("more_body", False):
                call.record(call.status)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            call.record(call.status or 499)
            raise
        except BaseException as error:
            call.failed(error)
            raise
        if not call.status:
            call.response_bytes = None
        call.record(call.status or 500)  # without an answer the server makes one

    def _route(self, scope: Scope, path: str, root: str, status: int) -> str:
        params = scope.get("path_params") or {}
        relative = getattr(scope.get("route"), "path", None)  # FastAPI's
        mount = str(scope.get("root_path", ""))
        mount = mount[len(root) :] if mount.startswith(root) else mount
        if relative and not mount:
            return str(relative)
        found = pattern(scope, path)
        if found:
            return found
        if relative:
            outer = {k: v for k, v in params.items() if not re.search("{" + re.escape(k) + "[}:]", relative)}
            return self._recorder.forms.bounded(form(mount, outer).rstrip("/") + relative, status)
        return self._recorder.forms.bounded(form(path, params), status)

    def _ending(self, send: Any) -> Any:
        async def ending(message: MutableMapping[str, Any]) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                weir = self._recorder.weir
                await asyncio.get_running_loop().run_in_executor(None, weir.flush, weir._close_timeout)
            await send(message)

        return ending
