"""An embedding server that does nothing but answer: at once, after a delay that is known, or with a stall in between.

It speaks as much HTTP/1.1 and OpenAI's protocol as a client needs, and wakes to the microsecond, so that what a load
generator sees beyond the delays is the generator's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from tools.load.loops import precise_loop

VECTOR = [0.125] * 8
BODY = json.dumps({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": VECTOR}]}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


class Server:
    """What all connections share: the delays that are left, and the stall to come."""

    def __init__(self, delays: list[float], stall_after: float, stall: float) -> None:
        self.delays = iter(delays)
        self.stall_after, self.stall = stall_after, stall
        self.first = 0.0

    def wait(self) -> float:
        """Seconds that this request waits; the stall stops everybody."""
        now = time.monotonic()
        self.first = self.first or now
        if self.stall and now - self.first > self.stall_after:
            time.sleep(self.stall)
            self.stall = 0.0
        return next(self.delays, 0.0)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._left += data
        while True:
            head, end, rest = self._left.partition(b"\r\n\r\n")
            if not end:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._left = rest[length:]
            wait = self._server.wait()
            if wait:
                asyncio.get_running_loop().call_later(wait, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def main(delays: list[float], stall_after: float, stall: float) -> None:
    """Serve until the input ends; the first line of the output is the port."""
    loop = asyncio.get_running_loop()
    shared = Server(delays, stall_after, stall)
    server = await loop.create_server(lambda: Connection(shared), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delays", help="JSON file with seconds, one for each request in the order they come.")
    parser.add_argument("--stall-after", type=float, default=0.0, help="Seconds after the first request.")
    parser.add_argument("--stall", type=float, default=0.0, help="Seconds for which nobody is answered, once.")
    given = parser.parse_args()
    waits = json.loads(Path(given.delays).read_text()) if given.delays else []
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(main(waits, given.stall_after, given.stall))
