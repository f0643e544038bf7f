"""A server that takes an id once, and goes wrong as it is told."""

import gzip
import http.server
import json
import logging
import socket
import threading
import time
import unittest

from weir_analytics import Weir

logging.getLogger("weir_analytics").addHandler(logging.NullHandler())
logging.getLogger("weir_analytics").propagate = False


class Request:
    def __init__(self, handler):
        self.at = time.monotonic()
        self.path, self.headers = handler.path, dict(handler.headers)
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.zipped = handler.headers.get("Content-Encoding") == "gzip"
        if self.zipped:
            body = gzip.decompress(body)
        self.size = len(body)
        self.events = [json.loads(line) for line in body.splitlines()]


class Fake:
    """answer(n, handler, take, events) may answer the n-th request itself and return True; take() stores the events and is the reply."""

    def __init__(self, test, answer=None):
        self.seen, self.stored, self.lock = [], {}, threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = Request(self)
                with fake.lock:
                    n = len(fake.seen)
                    fake.seen.append(request)
                take = lambda: fake.take(request.events)
                if not (answer and answer(n, self, take, request.events)):
                    self.reply(200, take())

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for k, v in headers.items():
                    self.send_header(k.replace("_", "-"), v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return True

            def cut(self):
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return True

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass  # the client is gone

            def finish(self):
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)

    def take(self, events):
        accepted = duplicates = 0
        rejected = []
        with self.lock:
            for i, e in enumerate(events):
                if e.get("name") == "bad":
                    rejected.append({"index": i, "reason": "wrong_type", "detail": "it is bad"})
                elif e["id"] in self.stored:
                    duplicates += 1
                else:
                    self.stored[e["id"]] = e
                    accepted += 1
        return json.dumps({"accepted": accepted, "duplicates": duplicates, "rejected": rejected}).encode()

    @property
    def events(self):
        with self.lock:
            return list(self.stored.values())


class Case(unittest.TestCase):
    def client(self, url, **options):
        weir = Weir(url, "wk_test", **options)
        self.addCleanup(weir.close, 0)
        return weir

    def until(self, what, condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail(f"not within {seconds} s: {what}")
            time.sleep(0.002)

    def assertSums(self, weir):
        s = weir.stats()
        self.assertEqual(s.offered, s.accepted + s.duplicates + s.rejected + s.queued + sum(s.dropped.values()), s)


def names(n):
    return [{"name": f"e{i}"} for i in range(n)]
