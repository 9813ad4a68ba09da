"""A candidate as a service: queries in, the ids of documents out, many at once, in a child process of its own.

The way of a query: it waits in a queue until the encoder is free, is tokenised and encoded together with the others
that wait (dynamic batching), searched, fused and re-ranked. Each stage is timed.
"""

from tools.service.client import Service
from tools.service.settings import Settings
from tools.service.start import serving

__all__ = ["Service", "Settings", "serving"]
