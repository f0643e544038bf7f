import datetime
import math
import os
import socket
import subprocess
import sys
import threading
import time
import unittest

from tests.fake import Case, Fake, names
from weir_analytics import Weir, __version__, uuid7
from weir_analytics._send import backoff, retry_after

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Sending(Case):
    def test_events_go_out_when_the_interval_is_over(self):
        server = Fake(self)
        weir = self.client(server.url, interval=0.2)
        began = time.monotonic()
        for e in names(5):
            self.assertTrue(weir.send(e))
        self.until("a request", lambda: server.seen)
        self.assertEqual(len(server.seen[0].events), 5)
        self.assertGreaterEqual(server.seen[0].at - began, 0.195)

    def test_a_batch_has_at_most_so_many_events_and_bytes(self):
        for options in ({"batch_events": 10}, {"batch_bytes": 1500}):
            with self.subTest(**options):
                server = Fake(self)
                weir = self.client(server.url, interval=3600, **options)
                for e in names(95):
                    weir.send(e)
                self.until("full batches do not wait", lambda: len(server.events) >= 80)
                self.assertLess(len(server.events), 95)
                weir.close()
                self.assertEqual(len(server.events), 95)
                for r in server.seen:
                    self.assertLessEqual(len(r.events), options.get("batch_events", 95))
                    self.assertLessEqual(r.size, options.get("batch_bytes", 1 << 20))

    def test_a_request_carries_key_form_and_compression(self):
        server = Fake(self)
        weir = self.client(server.url + "/behind/a/path/")
        weir.send({"name": "x"})
        self.assertTrue(weir.flush(5))
        for e in names(100):
            weir.send(e)
        self.assertTrue(weir.flush(5))
        self.assertEqual([r.zipped for r in server.seen], [False, True])
        r = server.seen[1]
        self.assertEqual(r.path, "/behind/a/path/v1/events")
        self.assertEqual(r.headers["Authorization"], "Bearer wk_test")
        self.assertEqual(r.headers["Content-Type"], "application/x-ndjson")
        self.assertEqual(r.headers["User-Agent"], "weir-python/" + __version__)

    def test_each_fault_is_outlasted(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def cut_answer(h, take):
            take()
            h.send_response(200)
            h.send_header("Content-Length", "1000")
            h.end_headers()
            h.wfile.write(b'{"accep')
            return h.cut()

        faults = {
            "500": lambda h, take: h.reply(500),
            "503": lambda h, take: h.reply(503),
            "429": lambda h, take: h.reply(429),
            "408": lambda h, take: h.reply(408),
            "a dropped connection": lambda h, take: h.cut(),
            "a lost answer": lambda h, take: take() and h.cut(),
            "a 500 after the commit": lambda h, take: take() and h.reply(500),
            "a cut answer": cut_answer,
            "no answer": lambda h, take: release.wait(20) or True,
            "another server's 200": lambda h, take: h.reply(200, b"<html>"),
            "a JSON of something else": lambda h, take: h.reply(200, b"[]"),
            "a rejection of nothing": lambda h, take: h.reply(200, b'{"accepted":49,"duplicates":0,"rejected":[{"index":50,"reason":"x"}]}'),
            "an answer to another request": lambda h, take: h.reply(200, b'{"accepted":1,"duplicates":0,"rejected":[]}'),
        }
        for what, fault in faults.items():
            with self.subTest(what):
                server = Fake(self, lambda n, h, take, events: n < 3 and fault(h, take))
                weir = self.client(server.url, max_backoff=0.01, timeout=0.1 if what == "no answer" else 10)
                for e in names(50):
                    weir.send(e)
                self.assertTrue(weir.flush(10))
                self.assertEqual(len(server.seen), 4)
                for r in server.seen:
                    self.assertEqual(r.events, server.seen[0].events)
                self.assertEqual(len(server.events), 50)
                s = weir.stats()
                self.assertEqual((s.accepted + s.duplicates, s.retries), (50, 3))
                self.assertSums(weir)

    def test_tries_come_further_apart_at_random_until_retry_for(self):
        for attempt, longest in ((0, 0.25), (1, 0.5), (6, 16), (7, 30), (1000, 30)):
            waits = {backoff(attempt, 30) for _ in range(50)}
            self.assertGreater(len(waits), 40)
            self.assertGreaterEqual(min(waits), longest / 2)
            self.assertLessEqual(max(waits), longest)
        server = Fake(self, lambda n, h, take, events: h.reply(500))
        weir = self.client(server.url, retry_for=1)
        weir.send({"name": "x"})
        self.assertTrue(weir.flush(5))
        self.assertIn(len(server.seen), (2, 3, 4))
        self.assertEqual(weir.stats().dropped["expired"], 1)

    def test_retry_after_is_honoured(self):
        now = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc).timestamp()
        for header, want in (("120", 120), ("Mon, 06 May 2024 07:09:09 GMT", 60), ("99999999", 900), ("soon", 0), ("-5", 0), ("²", 0), (None, 0)):
            got = retry_after(header, now)
            self.assertTrue(want <= got <= want * 1.1, f"{header}: {got}")
        server = Fake(self, lambda n, h, take, events: n == 0 and h.reply(429, Retry_After="1"))
        weir = self.client(server.url, max_backoff=0.01)
        weir.send({"name": "x"})
        self.assertTrue(weir.flush(5))
        wait = server.seen[1].at - server.seen[0].at
        self.assertTrue(0.99 <= wait < 2, wait)

    def test_a_refusal_is_not_tried_again(self):
        for status in (400, 401, 403, 404, 301, 307, 204):
            with self.subTest(status):
                server = Fake(self, lambda n, h, take, events: h.reply(status, Location="/elsewhere"))
                told = []
                weir = self.client(server.url, on_dropped=lambda *drop: told.append(drop))
                for e in names(7):
                    weir.send(e)
                self.assertEqual(weir.close(), 0)
                self.assertEqual(len(server.seen), 1)
                self.assertEqual(told, [("refused", 7)])

    def test_events_that_are_all_rejected_are_rejected_and_not_refused(self):
        answer = b'{"error":{"code":"invalid","message":"no event was taken"},"accepted":0,"duplicates":0,"rejected":[{"index":0,"reason":"wrong_type"}]}'
        server = Fake(self, lambda n, h, take, events: h.reply(400, answer))
        weir = self.client(server.url)
        weir.send({"name": "x"})
        self.assertEqual(weir.close(), 0)
        self.assertEqual(len(server.seen), 1)
        self.assertEqual((weir.stats().rejected, sum(weir.stats().dropped.values())), (1, 0))

    def test_a_batch_that_is_too_large_is_split(self):
        server = Fake(self, lambda n, h, take, events: (len(events) > 8 or any(e["name"] == "e13" for e in events)) and h.reply(413))
        weir = self.client(server.url)
        for e in names(100):
            weir.send(e)
        weir.close()
        self.assertEqual(len(server.events), 99)
        self.assertEqual(weir.stats().dropped["large"], 1)

    def test_what_is_rejected_is_told(self):
        server, told = Fake(self), []

        def rejected(events):
            told.extend(events)
            raise RuntimeError("the service's own fault")

        weir = self.client(server.url, batch_events=4, on_rejected=rejected)
        for name in ("a", "bad", "c", "d", "e", "bad"):
            weir.send({"name": name, "profile_id": "p-" + name})
        weir.close()
        self.assertEqual([(r.reason, r.detail, b'"profile_id":"p-bad"' in r.event) for r in told], [("wrong_type", "it is bad", True)] * 2)
        self.assertEqual((weir.stats().accepted, weir.stats().rejected), (4, 2))

    def test_many_threads_lose_nothing(self):
        server = Fake(self, lambda n, h, take, events: n % 3 == 0 and take() and h.cut())
        weir = self.client(server.url, max_backoff=0.01, batch_events=100)
        threads = [threading.Thread(target=lambda: [weir.send({"name": "x"}) for _ in range(500)]) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(weir.close(), 0)
        self.assertEqual(len(server.events), 4000)
        self.assertSums(weir)


class Bounds(Case):
    def test_memory_is_bounded_while_the_server_is_away(self):
        away, dropped = [True], []
        server = Fake(self, lambda n, h, take, events: away[0] and h.cut())
        weir = self.client(server.url, batch_bytes=16 << 10, queue_bytes=128 << 10, max_backoff=0.02, on_dropped=lambda r, n: dropped.append(n))
        taken = sum(weir.send({"name": "x", "properties": {"i": i}}) for i in range(20_000))
        s = weir.stats()
        self.assertLessEqual(s.queued_bytes, 128 << 10)
        self.assertLess(taken, 2000)
        self.assertEqual(s.dropped["full"], 20_000 - taken)
        away[0] = False
        self.assertEqual(weir.close(), 0)
        self.assertEqual(len(server.events), taken)
        self.assertEqual(sum(dropped), 20_000 - taken)
        self.assertEqual(weir.stats().queued_bytes, 0)

    def test_what_cannot_be_sent_is_counted(self):
        weir = self.client(Fake(self).url, batch_bytes=1000)
        for wrong in ({"properties": {"f": len}}, {"ts": math.nan}, {"revenue": math.inf}, {"properties": {"n": math.nan}}, {"ts": 1e308}):
            self.assertFalse(weir.send({"name": "x", **wrong}), wrong)
        self.assertFalse(weir.send(None))
        self.assertFalse(weir.send({"name": "x", "title": "t" * 1000}))
        weir.close()
        self.assertFalse(weir.send({"name": "x"}))
        dropped = weir.stats().dropped
        self.assertEqual((dropped["invalid"], dropped["large"], dropped["closed"]), (6, 1, 1))

    def test_texts_are_as_the_server_takes_them(self):
        server = Fake(self)
        weir = self.client(server.url)
        weir.send({"name": "a\0b\ud800c😀", "ts": 1714979289.25})
        weir.send({"name": "ignored", "ts": datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, datetime.timezone.utc),
                   "call": {"method": "GET", "route": "é" * 3000, "status": 999, "latency_ms": 0.00001, "consumer": ""}})
        weir.send({"call": {"method": "GET", "route": "/x", "status": 200, "latency_ms": 12.3456789, "consumer": "acme",
                            "request_bytes": 0, "response_bytes": 1.5, "error": "é" * 600, "trace_id": "4bf9"}})
        weir.close()
        a, b, c = server.events
        self.assertEqual((a["name"], a["ts"]), ("a\ufffdb\ufffdc😀", 1714979289250000))
        self.assertEqual((b["name"], b["ts"]), ("api_call", 1714979289123456))
        self.assertEqual(b["call"], {"method": "GET", "route": "é" * 1024, "latency_ms": 0})
        self.assertEqual(c["call"], {"method": "GET", "route": "/x", "status": 200, "latency_ms": 12.346, "consumer": "acme",
                                     "request_bytes": 0, "error": "é" * 512, "trace_id": "4bf9"})
        self.assertEqual(c["library"], "weir-python/" + __version__)

    def test_an_id_is_a_uuid7(self):
        ids = {uuid7(0x0123456789AB) for _ in range(1000)}
        self.assertEqual(len(ids), 1000)
        for i in ids:
            self.assertRegex(i, r"^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_wrong_options_are_refused(self):
        for url, key in (("", "k"), ("weir:8080", "k"), ("ftp://weir", "k"), ("http://", "k"), ("http://weir?key=1", "k"), ("http://u@weir", "k"),
                         ("http://weir", " "), ("http://weir", "a\r\nb"), ("http://weir", None), ("http://weir:x", "k")):
            with self.assertRaises(ValueError, msg=(url, key)):
                Weir(url, key)


class Ending(Case):
    def test_close_keeps_its_deadline(self):
        release = threading.Event()
        self.addCleanup(release.set)
        for what, answer in {
            "no connection": lambda h: h.cut(),
            "no answer": lambda h: release.wait(20) or True,
            "come later": lambda h: h.reply(503, Retry_After="60"),
        }.items():
            with self.subTest(what):
                server = Fake(self, lambda n, h, take, events: answer(h))
                weir = self.client(server.url, batch_events=3)
                for e in names(10):
                    weir.send(e)
                self.until("a request", lambda: server.seen)
                began = time.monotonic()
                self.assertEqual(weir.close(0.5), 10)
                took = time.monotonic() - began
                self.assertLess(took, 30)  # a minute is what the server asks for
                self.assertEqual(weir.stats().dropped["closed"], 10)
                self.assertEqual(weir.close(0.5), 0)
                self.until("the thread has ended", lambda: not weir._thread.is_alive())

    def test_close_does_not_wait_for_the_next_try(self):
        back = []
        server = Fake(self, lambda n, h, take, events: not back and h.reply(500))
        weir = self.client(server.url)
        for e in names(10):
            weir.send(e)
        weir.flush(0)
        self.until("some tries", lambda: len(server.seen) >= 4)
        back.append(True)
        self.assertEqual(weir.close(), 0)
        self.assertEqual(len(server.events), 10)

    def test_flush_gives_up_in_time_and_the_events_stay(self):
        weir = self.client(Fake(self, lambda n, h, take, events: h.reply(500)).url)
        weir.send({"name": "x"})
        self.assertFalse(weir.flush(0.1))
        self.assertEqual(weir.stats().queued, 1)

    def test_no_thread_is_left(self):
        server = Fake(self)
        before = threading.active_count()
        for _ in range(5):
            with self.client(server.url) as weir:
                weir.send({"name": "x"})
        self.until("all threads have ended", lambda: threading.active_count() <= before + 1)  # the fake's own
        self.client(server.url).close()
        self.assertEqual(len(server.events), 5)

    def program(self, url, then, close_timeout=0.5):
        code = f"from weir_analytics import Weir\nweir = Weir({url!r}, 'k', close_timeout={close_timeout})\nweir.send({{'name': 'last'}})\n{then}"
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        return time.monotonic() - began

    def test_the_interpreters_end_sends_what_there_is(self):
        server = Fake(self)
        self.program(server.url, "import atexit; atexit.register(lambda: weir.send({'name': 'later still'}))")
        self.assertEqual([e["name"] for e in server.events], ["last", "later still"])

    def test_the_first_event_may_come_at_the_interpreters_end(self):
        server = Fake(self)
        self.program(server.url, "other = Weir(weir_url, 'k')\nimport atexit; atexit.register(lambda: other.send({'name': 'first'}))".replace("weir_url", repr(server.url)))
        self.assertEqual(sorted(e["name"] for e in server.events), ["first", "last"])

    def test_a_server_that_does_not_answer_keeps_no_process_alive(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        took = self.program(f"http://127.0.0.1:{listener.getsockname()[1]}", "import time; time.sleep(1.5)")
        self.assertLess(took, 15)  # 20 s is when the test itself ends it

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this platform")
    def test_a_forked_child_sends_with_a_thread_of_its_own(self):
        server = Fake(self)
        self.program(server.url, """
import os
child = os.fork()
weir.send({'name': 'child' if child == 0 else 'parent'})
if child == 0:
    weir.close()
    os._exit(0)
os.waitpid(child, 0)
""")
        self.assertEqual(sorted(e["name"] for e in server.events), ["child", "last", "parent"])

    def children(self, context, code):
        server = Fake(self)
        self.program(server.url, f"""
import multiprocessing
def work(n):
    weir.send({{'name': f'child{{n}}'}})
    return n
context = multiprocessing.get_context({context!r})
{code}
""", close_timeout=15)
        self.assertEqual(sorted(e["name"] for e in server.events), sorted([f"child{n}" for n in range(20)] + ["last"]))

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this platform")
    def test_processes_of_multiprocessing_send_when_they_end(self):
        self.children("fork", """
children = [context.Process(target=work, args=(n,)) for n in range(20)]
for child in children: child.start()
for child in children: child.join()
""")

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this platform")
    def test_workers_of_a_closed_pool_send_when_they_end(self):
        self.children("fork", """
pool = context.Pool(3)
pool.map(work, range(20))
pool.close()
pool.join()
""")

    @unittest.skipUnless(hasattr(os, "fork"), "no fork on this platform")
    def test_workers_of_a_pool_that_is_terminated_send_when_they_end(self):
        self.children("fork", """
with context.Pool(3) as pool:
    pool.map(work, range(20))
""")


if __name__ == "__main__":
    unittest.main()
