"""An event loop whose clock jumps to the next thing that is due: hours pass at once, and to the same figures."""

import asyncio
import selectors


class _Jumping(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits and nothing is due"
            self.now += max(timeout, 0.0)
        return ready


def virtual_loop() -> asyncio.AbstractEventLoop:
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    loop.pass_time = lambda seconds: setattr(selector, "now", selector.now + seconds)
    return loop
