"""Where the vectors lie: memory and disk by kind of index, what one machine holds, and when it takes more than one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.candidate import Leg
from knowledge.results.cost import Holding, HoldingKind, Need, Volume
from knowledge.sizing import sizing
from knowledge.wording import Text, say
from tools.cost.known import GB, Known
from tools.setups import Setup, setup_of

#: an encoder that takes more of a machine's usable memory than this is better put on machines of its own
_LARGEST_ENCODER = 0.75


@dataclass(frozen=True)
class Choice:
    """All ways to hold a candidate's index, the one to take, and why."""

    holdings: tuple[Holding, ...]
    chosen: Holding
    need: Need
    why: Text


def usable_gb(known: Known, volume: Volume) -> float:
    """Memory of one machine that an index may take, beside the encoder where both share it."""
    usable = sizing().memory_share.value * volume.machine_memory_gb
    return usable - known.encoder_gb if shares_machines(known, volume) else usable


def shares_machines(known: Known, volume: Volume) -> bool:
    """Whether encoder and index are on the same machines."""
    return known.encoder_gb <= _LARGEST_ENCODER * sizing().memory_share.value * volume.machine_memory_gb


def hold(known: Known, documents: int, volume: Volume) -> Choice:
    """How to hold so many documents on machines like the one of the volume."""
    room = usable_gb(known, volume)
    holdings = tuple(
        Holding(
            kind=kind,
            memory_gb=round(memory * documents / GB, 4),
            disk_gb=round(disk * documents / GB, 4),
            machines=volume.replicas * max(1, math.ceil(memory * documents / GB / room)),
        )
        for kind, memory, disk in _bytes(known)
    )
    limit = sizing().standalone_vectors
    per_document = max((one.per_document for one in known.dense), default=1.0)
    if documents * per_document <= limit.value:
        fitting = next((one for one in holdings if one.machines == volume.replicas), None)
        if fitting is not None:
            return Choice(holdings, fitting, *_on_one_machine(fitting, holdings[0], room))
    chosen = min(holdings, key=lambda one: one.machines)
    if documents * per_document > limit.value:
        source = sizing().source(limit).cited
        why = say("over {count:,.0f} vectors Milvus is run as a cluster ({source})", count=limit.value, source=source)
    else:
        why = say(
            "even so the index needs {need:,.4g} GB and one machine has {room:,.4g} GB for it: shards on several",
            need=chosen.memory_gb,
            room=room,
        )
    return Choice(holdings, chosen, "cluster", why)


def limits(known: Known, volume: Volume) -> dict[HoldingKind, int]:
    """Documents that one machine holds, by kind of index."""
    room = usable_gb(known, volume) * GB
    return {kind: int(room / memory) for kind, memory, _ in _bytes(known) if memory > 0}


def _on_one_machine(fitting: Holding, plainest: Holding, room: float) -> tuple[Need, Text]:
    if fitting.kind == plainest.kind:
        text = say(
            "{need:,.4g} GB fit the {room:,.4g} GB that one machine has for the index",
            need=fitting.memory_gb,
            room=room,
        )
        return "one machine", text
    figures = {"plain": plainest.memory_gb, "need": fitting.memory_gb, "room": room}
    if fitting.kind == "ivf_sq8":
        text = say(
            "{plain:,.4g} GB do not fit the {room:,.4g} GB of one machine, 8 bits a number ({need:,.4g} GB) do: "
            "measure what that loses",
            **figures,
        )
        return "quantised", text
    source = sizing().source(sizing().diskann).cited
    text = say(
        "{plain:,.4g} GB do not fit the {room:,.4g} GB of one machine; DiskANN keeps {need:,.4g} GB in memory and the "
        "rest on a fast disk ({source})",
        source=source,
        **figures,
    )
    return "disk", text


def _bytes(known: Known) -> list[tuple[HoldingKind, float, float]]:
    """Kind, bytes a document in memory and on disk, the plainest first."""
    if not known.can_be_indexed:
        return [("measured", known.bytes_per_document - known.on_disk, known.bytes_per_document)]
    raw = sum(one.bytes(Setup()) for one in known.dense)
    found: list[tuple[HoldingKind, float, float]] = []
    kinds: tuple[HoldingKind, ...] = ("hnsw", "ivf_sq8")
    for kind in kinds:
        indexed = setup_of(Leg(backend="st", name="any", options={"index": kind}))
        size = known.other_bytes + sum(one.bytes(indexed) for one in known.dense)
        found.append((kind, size, raw + size))  # the vectors as they came are kept on disk beside the index
    rules = sizing().diskann
    links = rules.links * rules.bytes_per_link * sum(one.per_document for one in known.dense)
    memory = known.other_bytes + rules.memory_share * raw
    found.append(("diskann", memory, known.other_bytes + 2 * raw + links))
    return found
