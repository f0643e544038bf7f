"""Sends events to a Weir server, and records the calls of a WSGI or ASGI service.

    weir = Weir("https://weir.example.com", key)
    app = WSGIMiddleware(app, weir)

Nothing beyond the standard library; Python 3.9 or newer.
"""

from ._event import VERSION as __version__
from ._event import uuid7
from ._record import key_consumer
from ._route import form
from .asgi import ASGIMiddleware
from .client import Rejection, Stats, Weir
from .wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "Rejection", "Stats", "WSGIMiddleware", "Weir", "__version__", "form", "key_consumer", "uuid7"]
