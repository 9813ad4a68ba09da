"""What an amount of memory is of: a GPU, a machine, or what the model may take."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.findings import Finding
from agent.understanding.machine import Place, gpu_name_near, place_of
from agent.understanding.negation import negated
from agent.understanding.one_quantity import OneQuantity
from knowledge.wording import say

_MIB = {"mb": 1.0, "gb": 1024.0, "tb": 1024.0 * 1024}
#: GB; no machine has less, so it is a limit for the model: "no GPU, 100 MB of memory"
_SMALLEST_MACHINE = 0.25


class MemoryLimit(OneQuantity):
    """Reads an amount of memory."""

    def _memory(self) -> Iterator[Finding]:
        usable = self._has("usable_memory") or self._asked == "memory"
        if self._q.value <= 0 or (not usable and self._has("storage")):
            return
        if self._is_taken_by_the_model():
            yield from self._limit_of_memory(self._q.value * _MIB[self._q.unit or "mb"], None)
            return
        if self._is_of_texts() or any(
            0 <= h.start - self._q.end <= 2 for h in self._u.in_clause(self._clause, "storage")
        ):
            return
        megabytes = self._q.value * _MIB[self._q.unit or "mb"]
        place = place_of(self._reading, self._q)
        if self._asked == "memory" and place != "gpu":
            place = None
        if place is None and self._asked == "hardware":
            place = "gpu" if self._speaks_of_a_gpu() else "ram"
        gigabytes = round(megabytes / 1024, 6)
        if place == "gpu":
            yield from self._found("hardware", {"gpu_gb": gigabytes, "gpu_name": gpu_name_near(self._u, self._q)})
        elif (
            place == "ram" and gigabytes >= _SMALLEST_MACHINE and (self._q.limit != "max" or self._asked == "hardware")
        ):
            yield from self._found("hardware", {"ram_gb": gigabytes})
        else:
            yield from self._limit_of_memory(megabytes, place)

    def _is_taken_by_the_model(self) -> bool:
        """Whether it is what a model may take of the memory: "the encoder can hog 3 GB", 模型最多占 2G."""
        takers = [h for h in self._u.in_clause(self._clause, "device") if h.value == "model" and h.end <= self._q.start]
        return bool(takers) and any(h.end <= self._q.start for h in self._u.in_clause(self._clause, "takes"))

    def _is_of_texts(self) -> bool:
        """Whether it is how much there is of something: "100 GB of emails", and not "16 GB of RAM"."""
        of = [token.text for token in self._u.tokens[self._q.end : self._q.end + 1]] == ["of"]
        near = (h for at in range(self._q.end, self._q.end + 4) for h in self._u.starting(at, "usable_memory", "gpu"))
        return of and not any(near)

    def _speaks_of_a_gpu(self) -> bool:
        """Whether the sentence names a GPU and no other machine: "whatever GPU is needed, up to 80 GB"."""
        sentence = self._u.sentences[self._q.start]
        hits = [h for h in self._u.of_category("gpu", "device") if self._u.sentences[h.start] == sentence]
        return bool(hits) and all(h.value == "yes" and not negated(self._u, h) for h in hits)

    def _limit_of_memory(self, megabytes: float, place: Place | None) -> Iterator[Finding]:
        value: dict[str, object] = {"max_mb": megabytes, "weights_only": place == "model"}
        edge = next(iter(self._u.of_category("edge")), None)
        if edge is None or place != "model":
            yield from self._found("memory", value)
            return
        words = self._u.words(edge.start, edge.end)
        rule = say("“{words}” suggests weights of 8 bits, as is usual there", words=words)
        yield from self._found("memory", value | {"bytes_per_parameter": 1.0}, rule)
