import json
import os
import re
import subprocess
import tempfile
import unittest
import urllib.request

from tests.fake import Case
from weir_analytics import Weir

# WEIR_BIN is the path of a weir, which `make clients` builds.
BINARY = os.environ.get("WEIR_BIN")
TOKEN = "wt_python-client-test-0123456789"
if not BINARY and os.environ.get("WEIR_TEST_STRICT") == "1":
    raise RuntimeError("WEIR_BIN is not set")


@unittest.skipUnless(BINARY, "WEIR_BIN is not set")
class Server(Case):
    def setUp(self):
        data = tempfile.TemporaryDirectory()
        self.addCleanup(data.cleanup)
        self.server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data.name], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, env={**os.environ, "WEIR_ADMIN_TOKEN": TOKEN})
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.terminate)
        self.url = next(m[1] for m in map(re.compile(r"is at (http\S+)").search, self.server.stdout) if m)
        self.project = self.ask("/api/v1/projects", {"name": "python", "timezone": "UTC"})

    def ask(self, path, body=None):
        request = urllib.request.Request(self.url + path, body and json.dumps(body).encode(), {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as r:
            return json.load(r)

    def test_a_real_server_takes_what_is_sent_rejects_what_is_wrong_and_refuses_another_key(self):
        rejected = []
        weir = Weir(self.url, self.project["write_key"], on_rejected=rejected.extend)
        for i in range(2000):
            weir.send({"call": {"method": "GET", "route": "/users/{id}", "status": 200, "latency_ms": 1.5, "consumer": f"c{i % 3}"}})
        weir.send({"name": "signup", "profile_id": "ada", "groups": {"company": "acme"}, "properties": {"plan": "pro", "text": "Straße \u2028\"\\"}})
        weir.send({"name": "x" * 300})
        weir.send({"name": "old", "ts": "1990-01-01T00:00:00Z"})
        self.assertEqual(weir.close(), 0)
        s = weir.stats()
        self.assertEqual((s.accepted, s.duplicates, s.rejected, s.queued), (2001, 0, 2, 0))
        self.assertEqual(sorted(r.reason for r in rejected), ["name_too_long", "ts_ancient"])

        base = f"/api/v1/projects/{self.project['id']}"
        call = self.ask(base + "/events?name=api_call&limit=1")["events"][0]["call"]
        self.assertEqual({**call, "consumer": ""}, {"method": "GET", "route": "/users/{id}", "status": 200, "latency_ms": 1.5, "consumer": ""})
        self.assertEqual(self.ask(base + "/stats/overview")["today"]["calls"], 2000)
        signup = self.ask(base + "/events?name=signup&limit=1")["events"][0]
        self.assertEqual(signup["properties"], {"$groups": {"company": "acme"}, "plan": "pro", "text": "Straße \u2028\"\\"})

        other = self.client(self.url)
        other.send({"name": "x"})
        other.close()
        self.assertEqual(other.stats().dropped["refused"], 1)


if __name__ == "__main__":
    unittest.main()
