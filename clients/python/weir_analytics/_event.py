"""Events as the server takes them."""

from __future__ import annotations

import datetime
import json
import math
import os
import time
from typing import Any, Mapping, Optional

VERSION = "0.1.0"
LONGEST_TEXT = 2048  # bytes, the server's limit
LONGEST_ERROR = 1024  # bytes, of which the server keeps no more
_TEXTS = ("id", "name", "profile_id", "device_id", "session_id", "url", "path", "title", "referrer", "ip", "user_agent", "language", "currency")


def uuid7(ms: Optional[int] = None) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of the time in ms, then random ones."""
    if ms is None:
        ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (ms & (1 << 48) - 1) << 80 | random & (1 << 80) - 1
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(3 << 62) | 2 << 62
    h = f"{value:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def text(value: Any, longest: int = 0) -> str:
    """The text without what the server does not take (halves of surrogate pairs, NUL), of at most so many bytes of UTF-8."""
    s = str(value)
    if "\0" in s:
        s = s.replace("\0", "\ufffd")
    try:
        raw = s.encode()
    except UnicodeEncodeError:
        s = s.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        raw = s.encode()
    if longest and len(raw) > longest:
        return raw[:longest].decode("utf-8", "ignore")
    return s


def _micros(ts: Any) -> Any:
    if ts is None:
        return time.time_ns() // 1000
    if isinstance(ts, datetime.datetime):
        return round(ts.timestamp() * 1_000_000)
    if isinstance(ts, (int, float)):
        if not math.isfinite(ts):
            raise ValueError("ts is no time")
        return round(ts * 1_000_000)
    return text(ts)


def encode(event: Mapping[str, Any]) -> bytes:
    """The event as a line of JSON. ValueError or TypeError for what cannot be one."""
    out = {"id": text(event.get("id") or uuid7())}
    for key in _TEXTS:
        value = event.get(key)
        if value is not None and value != "" and key != "id":
            out[key] = text(value)
    call = event.get("call")
    if call is not None:
        out["name"] = "api_call"
    out["ts"] = _micros(event.get("ts"))
    if event.get("revenue") is not None:
        out["revenue"] = event["revenue"]
    if event.get("properties"):
        out["properties"] = event["properties"]
    if event.get("groups"):
        out["groups"] = event["groups"]
    if call is not None:
        c = {"method": text(call.get("method") or "", 255), "route": text(call.get("route") or "", LONGEST_TEXT)}
        status = call.get("status")
        if isinstance(status, int) and 100 <= status <= 599:
            c["status"] = status
        latency = call.get("latency_ms")
        if latency is not None and 0 <= latency < math.inf:
            c["latency_ms"] = round(latency, 3)
        if call.get("consumer"):
            c["consumer"] = text(call["consumer"], LONGEST_TEXT)
        for key in ("request_bytes", "response_bytes"):
            size = call.get(key)
            if isinstance(size, int) and 0 <= size <= 1 << 53:
                c[key] = size
        if call.get("error"):
            c["error"] = text(call["error"], LONGEST_ERROR)
        if call.get("trace_id"):
            c["trace_id"] = text(call["trace_id"], 255)
        out["call"] = c
    out["library"] = f"weir-python/{VERSION}"
    return json.dumps(out, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
