"""The middlewares in the frameworks that they are for, where those are installed."""

import asyncio
import importlib
import os
import unittest

from tests.fake import Case, Fake
from weir_analytics import ASGIMiddleware, WSGIMiddleware


def needs(*names):
    """Skips a class without these modules; with WEIR_TEST_STRICT=1 that is an error."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            if os.environ.get("WEIR_TEST_STRICT") == "1":
                raise
            return unittest.skip(f"{name} is not installed")
    return lambda case: case


class Frameworks(Case):
    def setUp(self):
        self.fake = Fake(self)
        self.weir = self.client(self.fake.url)

    def wants(self, calls):
        """Each a path, and what is recorded of a GET of it."""
        for path in calls:
            self.ask(path)
        self.weir.close()
        got = [f"{e['call']['route']} {e['call']['status']}" for e in self.fake.events]
        self.assertEqual(dict(zip(calls, got)), calls)
        self.assertEqual(len(got), len(calls))

    def ask(self, path):
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            pass

        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
                 "root_path": "", "headers": [(b"host", b"test")], "client": ("127.0.0.1", 1), "server": ("test", 80)}
        asyncio.run(self.app(scope, receive, send))


@needs("starlette")
class Starlette(Frameworks):
    def setUp(self):
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Mount, Route

        super().setUp()

        def answer(request):
            return PlainTextResponse("", 404 if "missing" in request.url.path else 200)

        self.app = Starlette(routes=[
            Route("/people/{name}", answer),
            Route("/users/{name}", answer),
            Route("/users/{name}/orders/{order:int}", answer),
            Route("/items/{item:uuid}", answer),
            Route("/files/{rest:path}", answer),
            Route("/copy/{rest:path}/to/{name}", answer),
            Mount("/tenants/{tenant}", routes=[Route("/orders/{order}", answer), Mount("/static", app=answer_asgi)]),
        ])
        self.app.add_middleware(ASGIMiddleware, weir=self.weir)

    def test_a_call_has_the_pattern_of_its_route(self):
        self.wants({
            "/users/ada": "/users/{name} 200",
            "/users/missing": "/users/{name} 404",
            "/people/ada": "/people/{name} 200",
            "/users/users": "/users/{name} 200",
            "/users/orders/orders/7": "/users/{name}/orders/{order:int} 200",
            "/users/7/orders/7": "/users/{name}/orders/{order:int} 200",
            "/users/7/orders/007": "/users/{name}/orders/{order:int} 200",
            "/items/0190d0d6-6a2c-7c3e-8f7a-1b2c3d4e5f60": "/items/{item:uuid} 200",
            "/tenants/acme/orders/orders": "/tenants/{tenant}/orders/{order} 200",
            "/tenants/acme/static/site.css": "/tenants/{tenant}/static/site.css 200",
        })

    def test_a_path_as_a_value_is_one_route(self):
        self.wants({
            "/files/a": "/files/{rest:path} 200",
            "/files/a/b/files/c/d/e/f": "/files/{rest:path} 200",
            "/files/": "/files/{rest:path} 200",
            "/copy/a/b/c/d/e/f/to/g": "/copy/{rest:path}/to/{name} 200",
        })

    def test_what_is_missing_uses_no_forms_up(self):
        for i in range(300):
            self.ask(f"/tenants/{word(i)}/missing/{word(i)}")
            self.ask(f"/tenants/acme/missing/{word(i)}")
        self.ask("/users/ada")
        self.weir.close()
        self.assertEqual([e["call"]["route"] for e in self.fake.events], ["other"] * 600 + ["/users/{name}"])


def word(i):
    return "x" * (i % 30) + chr(97 + i // 30)


async def answer_asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@needs("fastapi")
class FastAPI(Frameworks):
    def setUp(self):
        from fastapi import APIRouter, FastAPI, HTTPException

        super().setUp()
        self.app, tenant, router = FastAPI(), FastAPI(), APIRouter()

        @router.get("/{name}")
        def user(name: str):
            if name == "missing":
                raise HTTPException(404)

        @tenant.get("/items/{item}")
        def item(item: str):
            pass

        @self.app.get("/files/{rest:path}")
        def file(rest: str):
            pass

        self.app.include_router(router, prefix="/users")
        self.app.mount("/tenants/{tenant}", tenant)
        self.app.add_middleware(ASGIMiddleware, weir=self.weir)

    def test_a_call_has_the_path_of_its_route(self):
        self.wants({
            "/users/users": "/users/{name} 200",
            "/users/missing": "/users/{name} 404",
            "/files/a/b/c": "/files/{rest:path} 200",
            "/tenants/acme/items/7": "/tenants/{tenant}/items/{item} 200",
            "/tenants/acme/items/acme": "/tenants/{tenant}/items/{item} 200",
            "/tenants/tenants/items/7": "/tenants/{tenant}/items/{item} 200",
            "/tenants/acme/nothing": "other 404",
            "/nothing": "other 404",
        })


class Synchronous(Frameworks):
    def ask(self, path):
        environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "test", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
                   "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": __import__("io").BytesIO(), "wsgi.errors": __import__("io").StringIO(),
                   "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}
        body = self.app(environ, lambda *_: None)
        list(body)
        getattr(body, "close", lambda: None)()


@needs("flask")
class Flask(Synchronous):
    def setUp(self):
        from flask import Blueprint, Flask
        from werkzeug.middleware.dispatcher import DispatcherMiddleware

        super().setUp()
        app, blueprint = Flask("test"), Blueprint("users", "users")

        @blueprint.route("/<name>")
        def user(name):
            return ("", 404) if name == "missing" else ""

        @app.route("/files/<path:rest>")
        def file(rest):
            return ""

        app.register_blueprint(blueprint, url_prefix="/users")
        mounts = {"/mounted": app, **{"/t" + word(i): app for i in range(300)}}
        self.app = WSGIMiddleware(DispatcherMiddleware(app, mounts), self.weir)

    def test_a_call_has_the_rule_of_its_route(self):
        self.wants({
            "/users/users": "/users/<name> 200",
            "/users/missing": "/users/<name> 404",
            "/files/a/b/c": "/files/<path:rest> 200",
            "/mounted/users/ada": "/mounted/users/<name> 200",
            "/nothing": "other 404",
        })

    def test_mounts_are_bounded(self):
        for i in range(300):
            self.ask(f"/t{word(i)}/users/missing")
        for i in range(300):
            self.ask(f"/t{word(i)}/users/ada")
        self.weir.close()
        routes = [e["call"]["route"] for e in self.fake.events]
        self.assertEqual((len(set(routes)), routes.count("other")), (201, 400))


class Django:
    def test_a_call_has_the_route_of_its_view(self):
        self.wants({
            "/users/users/": "/users/<name>/ 200",
            "/users/missing/": "/users/<name>/ 404",
            "/files/a/b/c": "/files/<path:rest> 200",
            "/nothing/": "other 404",
        })


def django_urls():
    """Settings and routes; returns once they stand."""
    import sys
    import types

    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import include, path

    if settings.configured:
        return
    settings.configure(ROOT_URLCONF="tests.urls", ALLOWED_HOSTS=["*"], SECRET_KEY="test", MIDDLEWARE=["weir_analytics.django.route_middleware"], LOGGING_CONFIG=None)
    django.setup()

    def view(request, **values):
        return HttpResponse(status=404 if "missing" in request.path else 200)

    urls = sys.modules["tests.urls"] = types.ModuleType("tests.urls")
    urls.urlpatterns = [path("users/", include(([path("<name>/", view)], "users"))), path("files/<path:rest>", view)]


@needs("django")
class DjangoSynchronous(Django, Synchronous):
    def setUp(self):
        super().setUp()
        django_urls()
        from django.core.wsgi import get_wsgi_application

        self.app = WSGIMiddleware(get_wsgi_application(), self.weir)


@needs("django")
class DjangoAsynchronous(Django, Frameworks):
    def setUp(self):
        super().setUp()
        django_urls()
        from django.core.asgi import get_asgi_application

        self.app = ASGIMiddleware(get_asgi_application(), self.weir)


if __name__ == "__main__":
    unittest.main()
