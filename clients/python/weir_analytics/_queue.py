"""Events until they are delivered or given up."""

from __future__ import annotations

import collections
import time
from typing import Deque, List, Optional

_OVERHEAD = 80  # bytes that an event takes beside its text


class Batch:
    """What is sent in one request."""

    __slots__ = ("lines", "size", "since")

    def __init__(self) -> None:
        self.lines: List[bytes] = []
        self.size = 0  # bytes of the lines, with their ends
        self.since = time.monotonic()  # when the first one came


class Queue:
    """Batches of at most so many bytes together. Its user holds a lock."""

    def __init__(self, batch_events: int, batch_bytes: int, queue_bytes: int) -> None:
        self._batch_events, self._batch_bytes, self._queue_bytes = batch_events, batch_bytes, queue_bytes
        self._batches: Deque[Batch] = collections.deque()  # the last one is open
        self.bytes = 0  # with the batch under way
        self.events = 0

    def push(self, line: bytes) -> str:
        """Takes a line; "full" or "large" says why not."""
        size = len(line) + 1
        if size > self._batch_bytes:
            return "large"
        if self.bytes + size + _OVERHEAD > self._queue_bytes:
            return "full"
        last = self._batches[-1] if self._batches else None
        if last is None or len(last.lines) == self._batch_events or last.size + size > self._batch_bytes:
            last = Batch()
            self._batches.append(last)
        last.lines.append(line)
        last.size += size
        self.bytes += size + _OVERHEAD
        self.events += 1
        return ""

    def due(self, interval: float) -> Optional[float]:
        """How long it is until a batch is due, 0 for now, None for never."""
        if not self._batches:
            return None
        first = self._batches[0]
        if len(self._batches) > 1 or len(first.lines) == self._batch_events:
            return 0.0
        return max(first.since + interval - time.monotonic(), 0.0)

    def take(self) -> Batch:
        """The next batch, which counts until it is settled."""
        return self._batches.popleft()

    def settle(self, batch: Batch) -> None:
        self.bytes -= batch.size + len(batch.lines) * _OVERHEAD
        self.events -= len(batch.lines)
