"""Tells the WSGI or ASGI middleware which route Django found.

    MIDDLEWARE = ["weir_analytics.django.route_middleware", ...]
"""

from __future__ import annotations

import inspect
from typing import Any, Callable

from ._record import ROUTE


def route_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware of Django's, synchronous or not."""
    if inspect.iscoroutinefunction(get_response):

        async def asynchronous(request: Any) -> Any:
            try:
                return await get_response(request)
            finally:
                _tell(request)

        return asynchronous

    def synchronous(request: Any) -> Any:
        try:
            return get_response(request)
        finally:
            _tell(request)

    return synchronous


route_middleware.sync_capable = True  # type: ignore[attr-defined]
route_middleware.async_capable = True  # type: ignore[attr-defined]


def _tell(request: Any) -> None:
    route = getattr(getattr(request, "resolver_match", None), "route", None)
    carrier = getattr(request, "environ", None)
    if carrier is None:
        carrier = getattr(request, "scope", None)
    if route is not None and carrier is not None:
        carrier[ROUTE] = "/" + str(route).lstrip("^")
