"""The route that Starlette's routers found: FastAPI's are among them."""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, Mapping

_PARAM = re.compile(r"{([A-Za-z_]\w*)(?::[^}]*)?}")


def pattern(scope: Mapping[str, Any], path: str) -> str:
    """The pattern of the route, with those of where its routers are mounted; "" if it is not found.

    scope says only which endpoint answers, and the values of the parameters. An endpoint may have several routes.
    """
    params = scope.get("path_params") or {}
    routes = getattr(scope.get("router"), "routes", None) or ()
    found = [p for p in _of(scope.get("endpoint"), routes, "") if set(_PARAM.findall(p)) == set(params)]

    def likely(p: str) -> tuple[bool, bool, int]:
        filled = _PARAM.sub(lambda m: str(params[m[1]]), p)
        return path == filled, path.endswith(filled), len(filled)

    return max(found, key=likely, default="")


def _of(endpoint: Any, routes: Iterable[Any], mount: str) -> Iterator[str]:
    for route in routes:
        path = mount + str(getattr(route, "path", ""))
        inner = getattr(route, "routes", None)
        if inner is not None:
            yield from _of(endpoint, inner, path)
        elif endpoint is not None and getattr(route, "endpoint", None) is endpoint:
            yield path
