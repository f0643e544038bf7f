import asyncio
import hashlib
import json
import os
import threading
import types
import unittest
import urllib.error
import urllib.request
import uuid
import wsgiref.simple_server
import wsgiref.util

from tests.fake import Case, Fake
from weir_analytics import ASGIMiddleware, WSGIMiddleware, form, key_consumer
from weir_analytics.django import route_middleware


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


class QuietHandler(wsgiref.simple_server.ServerHandler):
    def log_exception(self, exc_info):
        pass


wsgiref.simple_server.ServerHandler = QuietHandler


def text(calls):
    return [" ".join(str(c[k]) for k in ("method", "route", "status", "consumer") if k in c) for c in calls]


def sizes(events):
    return [tuple(e["call"].get(k) for k in ("request_bytes", "response_bytes", "error", "trace_id")) for e in events]


class Recording(Case):
    def setUp(self):
        self.fake = Fake(self)
        self.weir = self.client(self.fake.url)

    def calls(self, n):
        self.until(f"{n} calls", lambda: self.weir.stats().offered >= n)
        self.weir.close()
        calls = [e["call"] for e in self.fake.events]
        for c in calls:
            self.assertTrue(0 < c["latency_ms"] < 60_000, c)
        return text(calls)


class WSGI(Recording):
    def serve(self, app, **options):
        server = wsgiref.simple_server.make_server("127.0.0.1", 0, WSGIMiddleware(app, self.weir, **options), handler_class=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"

    def get(self, path, method="GET", **headers):
        request = urllib.request.Request(self.url + path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request) as r:
                return r.status, r.read(), r.headers
        except urllib.error.HTTPError as e:
            return e.code, e.read(), e.headers

    def test_a_call_has_route_status_and_consumer(self):
        def app(environ, start_response):
            path = environ["PATH_INFO"]
            if path == "/set":
                environ["weir.route"], environ["weir.consumer"] = "/set/{by}", "acme"
            if path.startswith("/flask"):
                environ["werkzeug.request"] = types.SimpleNamespace(url_rule=types.SimpleNamespace(rule="/flask/<int:id>"))
            if path == "/flask/404":
                environ["werkzeug.request"].url_rule = None
            start_response("404 Not Found" if path.endswith("404") else "201 Created", [("Content-Type", "text/plain")])
            environ["PATH_INFO"] = "/changed"
            environ["werkzeug.request"] = None  # as Flask does
            return [b"ok"]

        def route(environ):
            if "QUERY_STRING" in environ and environ["QUERY_STRING"] == "fail":
                raise RuntimeError("the service's own fault")
            return "/outside" if environ["QUERY_STRING"] == "outside" else None

        self.serve(app, route=route, consumer=key_consumer("X-API-Key"), skip=lambda environ: environ["PATH_INFO"] == "/healthz")
        status, body, headers = self.get("/users/42?secret=1", X_API_Key="k1")
        self.assertEqual((status, body, headers["Content-Length"]), (201, b"ok", "2"))
        self.get("/set")
        self.get("/x?outside")
        self.get("/y?fail")
        self.get("/flask/7")
        self.get("/flask/404")
        self.get("/healthz")
        self.get("/Stra%C3%9Fe")
        self.get("/brew", method="BREW")
        self.assertEqual(self.calls(8), [
            "GET /users/{id} 201 key-" + hashlib.sha256(b"k1").hexdigest()[:12], "GET /set/{by} 201 acme", "GET /outside 201", "GET /y 201",
            "GET /flask/<int:id> 201", "GET other 404", "GET /{id} 201", "other /brew 201",
        ])

    def test_bodies_end_in_many_ways(self):
        closed = []

        class Closing:
            def __iter__(self):
                return iter([b"a", b"b"])

            def close(self):
                closed.append(True)

        def app(environ, start_response):
            path = environ["PATH_INFO"]
            if path == "/raises":
                raise RuntimeError("before the answer")
            if path == "/generator":
                def late():
                    start_response("202 Accepted", [])
                    yield b"a"
                    yield b"b"
                return late()
            if path == "/generator/raises":
                def broken():
                    start_response("200 OK", [("Content-Length", "2")])
                    yield b"a"
                    raise RuntimeError("in the middle")
                return broken()
            write = start_response("200 OK", [])
            if path == "/closing":
                return Closing()
            if path == "/file":
                return environ["wsgi.file_wrapper"](open(__file__, "rb"))
            if path == "/write":
                write(b"ab")
            return []

        self.serve(app)
        self.assertEqual(self.get("/raises")[0], 500)
        self.assertEqual(self.get("/generator")[1], b"ab")
        with self.assertRaises(Exception):
            self.get("/generator/raises")
        self.assertEqual(self.get("/closing")[1], b"ab")
        with open(__file__, "rb") as f:
            self.assertEqual(self.get("/file")[1], f.read())
        self.assertEqual(self.get("/write")[1], b"ab")
        self.assertEqual(closed, [True])
        self.assertEqual(self.calls(6), ["GET /raises 500", "GET /generator 202", "GET /generator/raises 500", "GET /closing 200", "GET /file 200", "GET /write 200"])

    def test_a_call_has_its_sizes_error_and_trace(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"

        def app(environ, start_response):
            path = environ["PATH_INFO"]
            if path == "/raises":
                raise RuntimeError("no such order: 7")
            if path == "/told":
                environ["weir.error"] = "told"
            if path == "/stream":
                start_response("200 OK", [("Content-Type", "text/event-stream")])
                return iter([b"data"])
            write = start_response("200 OK", [])
            if path == "/written":
                write(b"ab")
                return iter([b"c", b"de"])
            return [b"abc", b"d"]

        self.serve(app)
        self.get("/list", Traceparent=f"00-{trace}-00f067aa0ba902b7-01")
        self.get("/written", method="POST", Content_Length="0", Traceparent="nonsense")
        self.get("/list", method="HEAD")
        self.get("/told")
        self.get("/raises")
        self.get("/stream")
        self.calls(6)
        self.assertEqual(sizes(self.fake.events), [
            (0, 4, None, trace), (0, 5, None, None), (0, 0, None, None), (0, 4, "told", None), (0, None, "RuntimeError: no such order: 7", None), (0, None, None, None)])

    def test_a_stream_is_recorded_when_it_begins(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            yield b"data: 1\n\n"
            release.wait(20)

        self.serve(app)
        with urllib.request.urlopen(self.url + "/stream") as r:
            self.assertEqual(r.readline(), b"data: 1\n")
            self.assertEqual(self.calls(1), ["GET /stream 200"])
            release.set()

    def test_a_call_is_recorded_once(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [b"ok"]

        self.serve(WSGIMiddleware(app, self.weir))
        self.get("/")
        self.assertEqual(self.calls(1), ["GET / 200"])

    def test_a_dead_weir_changes_nothing(self):
        dead = self.client("http://127.0.0.1:1", batch_bytes=1000, queue_bytes=2000)

        def app(environ, start_response):
            start_response("200 OK", [])
            return [b"ok"]

        recorded = WSGIMiddleware(app, dead)
        for _ in range(1000):
            self.assertEqual(recorded({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None), [b"ok"])
        dead.close(0)
        recorded({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
        s = dead.stats()
        self.assertTrue(s.offered == 1001 and s.dropped["full"] > 900 and s.dropped["closed"] > 0, s)

    def test_django_tells_its_route(self):
        carrier = {}
        match = types.SimpleNamespace(route="^users/<int:id>/")
        route_middleware(lambda request: "answer")(types.SimpleNamespace(environ=carrier, resolver_match=match))
        self.assertEqual(carrier, {"weir.route": "/users/<int:id>/"})

        async def view(request):
            return "answer"

        carrier = {}
        asyncio.run(route_middleware(view)(types.SimpleNamespace(scope=carrier, resolver_match=match)))
        self.assertEqual(carrier, {"weir.route": "/users/<int:id>/"})
        route_middleware(lambda request: "answer")(types.SimpleNamespace(environ=carrier, resolver_match=None))


class ASGI(Recording):
    def run_app(self, app, path="/", kind="http", headers=(), scope=None, **options):
        """Runs one call as a server does; returns what was sent."""
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {"type": kind, "asgi": {"version": "3.0"}, "path": path, "headers": list(headers), "root_path": "", **(scope or {})}
        if kind == "http":
            scope.setdefault("method", "GET")
        self.recorded = getattr(self, "recorded", None) or ASGIMiddleware(app, self.weir, **options)
        asyncio.run(self.recorded(scope, receive, send))
        return sent

    def test_a_call_has_route_status_and_consumer(self):
        async def app(scope, receive, send):
            path = scope["path"]
            if path.startswith("/fast"):
                scope["route"] = types.SimpleNamespace(path="/items/{item}")
                scope["path_params"] = {"tenant": "acme", "item": 7}
                scope["root_path"] += "/fast/acme"
            elif path.startswith("/star"):
                scope["path_params"] = {"name": "ada"}
            elif path == "/set":
                scope["weir.route"], scope["weir.consumer"] = "/set/{by}", "acme"
            await send({"type": "http.response.start", "status": 404 if path.endswith("404") else 201, "headers": []})
            await send({"type": "http.response.body", "body": b"o", "more_body": True})
            await send({"type": "http.response.body", "body": b"k"})

        options = {"consumer": key_consumer("X-API-Key"), "skip": lambda scope: scope["path"] == "/healthz"}
        sent = self.run_app(app, "/users/42", headers=[(b"x-api-key", b"k1")], **options)
        self.assertEqual(len(sent), 3)
        self.run_app(app, "/fast/acme/items/7", scope={"root_path": "/proxied"})
        self.run_app(app, "/star/ada/404")
        self.run_app(app, "/set")
        self.run_app(app, "/scan/404")
        self.run_app(app, "/healthz")
        self.run_app(app, "/brew", scope={"method": "BREW"})
        self.assertEqual(self.calls(6), [
            "GET /users/{id} 201 key-" + hashlib.sha256(b"k1").hexdigest()[:12], 
            "GET /fast/{tenant}/items/{item} 201", "GET other 404", "GET /set/{by} 201 acme", "GET other 404", "other /brew 201",
        ])

    def test_what_is_missing_uses_no_forms_up(self):
        async def app(scope, receive, send):
            scope["path_params"] = {"tenant": scope["path"].split("/")[1]}
            if scope["path"].startswith("/fast"):
                scope["route"], scope["root_path"] = types.SimpleNamespace(path="/items/{item}"), scope["path"][: -len("/items/7")]
                scope["path_params"] = {"item": 7}
            await send({"type": "http.response.start", "status": 404 if "scan" in scope["path"] else 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        word = lambda i: "x" * (i % 30) + chr(97 + i // 30)
        for i in range(300):
            self.run_app(app, "/acme/scan/" + word(i))
            self.run_app(app, "/fast/scan" + word(i) + "/items/7")
        for i in range(300):
            self.run_app(app, "/fast/" + word(i) + "/items/7")
        calls = self.calls(900)
        self.assertEqual((len(set(calls)), calls.count("GET other 404"), calls.count("GET other 200")), (202, 600, 100))

    def test_answers_end_in_many_ways(self):
        started = {"type": "http.response.start", "status": 200, "headers": []}

        async def app(scope, receive, send):
            path = scope["path"]
            if path == "/raises":
                raise RuntimeError("before the answer")
            if path == "/cancelled":
                raise asyncio.CancelledError
            if path == "/silent":
                return
            await send(started)
            if path == "/raises/late":
                raise RuntimeError("in the middle")
            await send({"type": "http.response.body", "body": b"ok"})
            if path == "/background":
                raise RuntimeError("after the answer")

        for path, error in (("/raises", RuntimeError), ("/cancelled", asyncio.CancelledError), ("/raises/late", RuntimeError), ("/background", RuntimeError)):
            with self.assertRaises(error):
                self.run_app(app, path)
        self.run_app(app, "/silent")
        self.assertEqual(self.calls(5), ["GET /raises 500", "GET other 499", "GET /raises/late 500", "GET /background 200", "GET /silent 500"])

    def test_a_call_has_its_sizes_error_and_trace(self):
        async def app(scope, receive, send):
            if scope["path"] == "/raises":
                raise KeyError("order")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"abc", "more_body": True})
            await send({"type": "http.response.body"})

        trace = b"4bf92f3577b34da6a3ce929d0e0e4736"
        self.run_app(app, "/", headers=[(b"Content-Length", b"7"), (b"traceparent", b"00-" + trace + b"-00f067aa0ba902b7-01")])
        self.run_app(app, "/", headers=[(b"transfer-encoding", b"chunked")])
        with self.assertRaises(KeyError):
            self.run_app(app, "/raises")
        self.calls(3)
        self.assertEqual(sizes(self.fake.events), [(7, 3, None, trace.decode()), (None, 3, None, None), (0, None, "KeyError: 'order'", None)])

    def test_streams_and_sockets_are_recorded_when_they_begin(self):
        seen = []

        async def app(scope, receive, send):
            if scope["type"] == "websocket":
                await send({"type": "websocket.accept" if scope["path"] == "/socket" else "websocket.close"})
            else:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream; charset=utf-8")]})
            seen.append(self.weir.stats().offered)

        self.run_app(app, "/stream")
        self.run_app(app, "/socket", kind="websocket")
        self.run_app(app, "/refused", kind="websocket")
        self.assertEqual(seen, [1, 2, 3])
        self.assertEqual(self.calls(3), ["GET /stream 200", "GET /socket 101", "GET other 403"])

    def test_the_lifespans_end_sends_what_waits(self):
        async def app(scope, receive, send):
            await send({"type": "lifespan.startup.complete"})
            self.weir.send({"name": "last"})
            await send({"type": "lifespan.shutdown.complete"})

        sent = self.run_app(app, kind="lifespan")
        self.assertEqual([m["type"] for m in sent], ["lifespan.startup.complete", "lifespan.shutdown.complete"])
        self.assertEqual([e["name"] for e in self.fake.events], ["last"])


class Routes(Recording):
    def test_a_path_without_pattern_has_a_form(self):
        with open(os.path.join(os.path.dirname(__file__), "../../testdata/forms.json"), encoding="utf-8") as f:
            for path, want in json.load(f).items():
                self.assertEqual(form(path), want, path)

    def test_values_of_parameters_are_named_where_they_stand(self):
        for path, params, want in (
            ("/users/users", {"name": "users"}, "/users/{name}"),
            ("/users/7/orders/7", {"user": 7, "order": 7}, "/users/{user}/orders/{order}"),
            ("/users/user", {"name": "use"}, "/users/user"),
            ("/orders/007", {"order": 7}, "/orders/{order}"),
            ("/items/0190D0D6-6A2C-7C3E-8F7A-1B2C3D4E5F60", {"item": uuid.UUID("0190d0d6-6a2c-7c3e-8f7a-1b2c3d4e5f60")}, "/items/{item}"),
            ("/files/a/b/c/d/e/f/g", {"rest": "a/b/c/d/e/f/g"}, "/files/{rest}"),
            ("/files/a//b/", {"rest": "a//b/"}, "/files/{rest}"),
            ("/files/a/b/to/c", {"rest": "a/b", "name": "c"}, "/files/{rest}/to/{name}"),
            ("/files/", {"rest": ""}, "/files"),
            ("/files" + "/a" * 30000, {"rest": "/a" * 15000, "last": "/a" * 15000}, "/files/a/a/a/a/a/*"),
        ):
            self.assertEqual(form(path, params), want, path[:40])

    def test_forms_are_bounded(self):
        def app(environ, start_response):
            start_response("404 Not Found" if environ["PATH_INFO"].startswith("/scan") else "200 OK", [])
            return [b""]

        recorded = WSGIMiddleware(app, self.weir)
        ask = lambda path: recorded({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
        word = lambda i: "x" * (i % 30) + chr(97 + i // 30)
        for i in range(500):
            ask("/scan/" + word(i))
        for i in range(500):
            ask("/real/" + word(i))
        ask("/real/" + word(0))
        calls = self.calls(1001)
        self.assertEqual((len(set(calls)), sum("other" in c for c in calls), calls.count("GET /real/" + word(0) + " 200")), (202, 800, 2))


if __name__ == "__main__":
    unittest.main()
