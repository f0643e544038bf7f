"""A WSGI service whose calls are recorded, and that calls itself until it reads a line; or, as `driver.py flood N`, N events
for a server that is away. clients_test.go reads what it prints."""

import http.client
import json
import os
import resource
import sys
import threading
import time
import wsgiref.simple_server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../clients/python"))
sys.dont_write_bytecode = True

from weir_analytics import Weir, WSGIMiddleware  # noqa: E402

URL, KEY = os.environ["WEIR_URL"], os.environ["WEIR_KEY"]


def show(what):
    print(json.dumps(what), flush=True)


def summary(s):
    lost = sum(s.dropped.values()) - s.dropped["full"]
    return {"offered": s.offered, "stored": s.accepted + s.duplicates, "full": s.dropped["full"], "lost": lost, "retries": s.retries, "queued_bytes": s.queued_bytes}


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass

    def get_stderr(self):
        return open(os.devnull, "w")


def app(environ, start_response):
    kind = environ["PATH_INFO"].split("/")[1]
    if kind == "users":
        start_response("200 OK", [])
        return [b"ok"]
    if environ["REQUEST_METHOD"] == "POST":
        def created():
            start_response("201 Created", [])
            yield b"ok"
        return created()
    raise RuntimeError("it fails")


def serve():
    weir = Weir(URL, KEY, interval=0.05, max_backoff=0.5, timeout=2)
    recorded = WSGIMiddleware(app, weir, consumer=lambda environ: environ.get("HTTP_X_CONSUMER"), route=lambda environ: "/" + environ["PATH_INFO"].split("/")[1] + "/:id")
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, recorded, handler_class=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True).start()
    sent = 0
    while not stopped.is_set():
        post = sent % 7 == 3
        path = f"/orders/{sent}" if post or sent % 11 == 5 else f"/users/{sent}?secret=1"
        conn = http.client.HTTPConnection("127.0.0.1", server.server_port)
        began = time.monotonic()
        conn.request("POST" if post else "GET", path, headers={"X-Consumer": f"python-{sent}"})
        conn.getresponse().read()
        conn.close()
        if time.monotonic() - began > 10:  # the machine may be busy
            show({"slow": time.monotonic() - began})
        if sent % 20 == 0:
            show({"sent": sent})
        sent += 1
        time.sleep(0.001)
    while weir.stats().offered < sent:  # the answer may be read before its body is closed
        time.sleep(0.001)
    weir.close(30)
    show({"sent": sent, **summary(weir.stats())})


def peak():
    """The most memory that the process has held, in bytes. Where there is no /proc it is that of its parent, if that is more."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def flood(n):
    weir = Weir(URL, KEY, batch_bytes=64 << 10, queue_bytes=1 << 20, max_backoff=0.2)
    before = peak()
    for i in range(n):
        weir.send({"call": {"method": "GET", "route": "/flood", "status": 200, "latency_ms": 1, "consumer": f"python-{i}"}})
    show({"sent": n, "memory": peak() - before, **summary(weir.stats())})
    sys.stdin.readline()
    weir.close(30)
    show({"sent": n, **summary(weir.stats())})


if sys.argv[1:2] == ["flood"]:
    flood(int(sys.argv[2]))
else:
    serve()
