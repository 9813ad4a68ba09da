"""What a leg's options say of its set-up.

``dim=256`` keeps the first 256 numbers of each vector. ``store=float16|int8|binary`` keeps them in fewer bits.
``first=128`` searches by the first 128 numbers alone. ``rescore=4`` then ranks the best 4 x 10 documents again by the
whole vectors in float32; the documents below keep their order. So the ten documents that a user is shown are those of a
system that fetches 40 and shows ten. ``index=hnsw`` (``m``, ``ef_construction``, ``ef``), ``ivf_flat`` or ``ivf_sq8``
(``nlist``, ``nprobe``) searches approximately.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from knowledge.candidate import Leg
from knowledge.errors import SpecError
from knowledge.wording import Text, say
from tools.pipeline.forms import Store

IndexKind = Literal["hnsw", "ivf_flat", "ivf_sq8"]
Choice = TypeVar("Choice", bound=str)

STORES: tuple[Store, ...] = get_args(Store)
INDEXES: tuple[IndexKind, ...] = get_args(IndexKind)

#: results that a user of a set-up asks for: `rescore=N` ranks the best N x K documents again
K = 10
#: `rescore` of two stages, where it is not said: what is far down by the first numbers is hardly ever wanted
RESCORE = 4
MOST_RESCORE = 1_000
LONGEST = 65_536
#: parameters of each index: the default, the least and the most. Names and limits are Milvus's
#: (https://milvus.io/docs/hnsw.md and ivf-flat.md, 2026-11-28); None: by the number of documents
_PARAMETERS: Mapping[str, Mapping[str, tuple[int | None, int, int]]] = {
    "hnsw": {"m": (16, 2, 2048), "ef_construction": (200, 1, 32_768), "ef": (128, 1, 32_768)},
    "ivf_flat": {"nlist": (None, 1, 65_536), "nprobe": (8, 1, 65_536)},
    "ivf_sq8": {"nlist": (None, 1, 65_536), "nprobe": (8, 1, 65_536)},
}
#: below so many vectors a cell Faiss warns that its middle is not to be trusted (`min_points_per_centroid`)
POINTS_A_CELL = 39
INDEX_PARAMETERS = frozenset(name for of in _PARAMETERS.values() for name in of)
OPTIONS = frozenset({"dim", "store", "first", "rescore", "index"}) | INDEX_PARAMETERS

BYTES: dict[Store, float] = {"float32": 4.0, "float16": 2.0, "int8": 1.0, "binary": 1 / 8}
#: beside its vector an inverted list holds each document's number
_ID_BYTES = 8


class Index(BaseModel):
    """An approximate index and its parameters; `nlist` is None where it follows the number of documents."""

    model_config = ConfigDict(frozen=True)

    kind: IndexKind
    parameters: dict[str, int | None]

    def for_documents(self, count: int) -> dict[str, int]:
        """The parameters in full: `nlist` is about the root of the number of documents, `nprobe` at most `nlist`.

        Of few documents it is less than the root: Faiss wants `POINTS_A_CELL` to find the middle of each cell.
        """
        cells = max(1, min(round(count**0.5), count // POINTS_A_CELL))
        found = {k: v if v is not None else cells for k, v in self.parameters.items()}
        if "nlist" in found:
            found["nprobe"] = min(found["nprobe"], found["nlist"])
        return found


class Setup(BaseModel):
    """How one encoder's finished vectors are cut, stored and searched.

    Attributes:
        dim: length of the vectors; None: the model's own.
        first: of these, so many numbers are searched; None: all.
        store: in what form the searched vectors are kept.
        rescore: so many times `K` documents are ranked again by the whole float32 vectors; 0: none.
        index: None: every document is compared.
    """

    model_config = ConfigDict(frozen=True)

    dim: int | None = None
    first: int | None = None
    store: Store = "float32"
    rescore: int = 0
    index: Index | None = None

    @property
    def plain(self) -> bool:
        """Whether the vectors are searched as they are: whole, in float32, every one."""
        return self.store == "float32" and self.first is None and self.index is None

    def searched_bytes(self, dimension: int) -> float:
        """Bytes a document that are searched, and so had better be in memory.

        Of indexes as Faiss's wiki has them ("Guidelines to choose an index"): HNSW links each vector to 2 m others, 4
        bytes each; inverted lists hold a number of 8 bytes a vector.

        Args:
            dimension: of the whole vectors.
        """
        length = self.first or dimension
        if self.store == "binary":
            return float(-(-length // 8))
        size = length * BYTES[self.store]
        if self.index is None:
            return size
        if self.index.kind == "hnsw":
            return size + 8 * (self.index.parameters["m"] or 0)
        return (length if self.index.kind == "ivf_sq8" else size) + _ID_BYTES

    def rescored_bytes(self, dimension: int) -> float:
        """Bytes a document that are read for the documents ranked again only, and so may lie on disk."""
        return dimension * BYTES["float32"] if self.rescore else 0.0

    def bytes(self, dimension: int) -> float:
        """All bytes a document, of vectors and index."""
        return self.searched_bytes(dimension) + self.rescored_bytes(dimension)


def dimension_of(leg: Leg) -> int | None:
    """The dimension a leg asks for; None for the model's own.

    Raises:
        SpecError: it is no dimension.
    """
    return _length(leg, "dim")


def setup_of(leg: Leg) -> Setup:
    """The set-up that a leg asks for.

    Raises:
        SpecError: an option has a value that is not possible, or options do not go together.
    """
    options = leg.options
    dim, first = dimension_of(leg), _length(leg, "first")
    if first is not None and dim is not None and first >= dim:
        raise too_long_first(leg, first, dim)
    store = _chosen(leg, "store", STORES) or "float32"
    index = _index(leg)
    if index is not None and store != "float32":
        raise _apart(
            leg,
            say("an index is measured over float32 vectors"),
            say("Leave out one of the two; index=ivf_sq8 keeps 8 bits a number itself."),
        )
    rescore = _whole(leg, "rescore", 1, MOST_RESCORE)
    loses = store != "float32" or first is not None or (index is not None and index.kind == "ivf_sq8")
    if rescore is not None and not loses:
        raise _apart(
            leg,
            say("rescore ranks again by the whole vectors, and these are searched already"),
            say("Give it beside {names}.", names="store=int8, store=binary, first=128, index=ivf_sq8"),
        )
    if rescore is None:
        rescore = RESCORE if first is not None else 0
    if index is None and (stray := sorted(INDEX_PARAMETERS & set(options))):
        raise _apart(
            leg,
            say("{name} is a parameter of an index, and none is asked for", name=stray[0]),
            say("Give index=… as well, one of: {names}.", names=", ".join(INDEXES)),
        )
    return Setup(dim=dim, first=first, store=store, rescore=rescore, index=index)


def too_long_first(leg: Leg, first: int, has: int) -> SpecError:
    """The error for a first stage that is no shorter than the whole."""
    return _apart(
        leg,
        say("first={first} is no beginning of {has} numbers", first=first, has=has),
        say("Search by fewer than {has}.", has=has),
    )


def _index(leg: Leg) -> Index | None:
    """The index; kinds that are not on the list are refused: Milvus Lite takes any name and compares every document."""
    kind = _chosen(leg, "index", INDEXES)
    if kind is None:
        return None
    takes = _PARAMETERS[kind]
    if stray := sorted((INDEX_PARAMETERS & set(leg.options)) - set(takes)):
        raise _apart(
            leg,
            say("index={kind} has no parameter “{name}”", kind=kind, name=stray[0]),
            say("It has: {names}.", names=", ".join(sorted(takes))),
        )
    parameters = {}
    for name, (default, least, most) in takes.items():
        asked = _whole(leg, name, least, most)
        parameters[name] = default if asked is None else asked
    return Index(kind=kind, parameters=parameters)


def _chosen(leg: Leg, option: str, possible: tuple[Choice, ...]) -> Choice | None:
    text = leg.options.get(option)
    if text is None:
        return None
    for one in possible:
        if one == text:
            return one
    raise SpecError(
        say("“{name}={value}” in {spec} is not possible.", name=option, value=text, spec=leg.spec),
        say("Possible are: {names}.", names=", ".join(possible)),
    )


def _length(leg: Leg, option: str) -> int | None:
    text = leg.options.get(option)
    if text is None:
        return None
    if not _is_whole(text) or not 1 <= int(text) <= LONGEST:
        raise SpecError(
            say("“{name}={value}” in {spec} is not a dimension.", name=option, value=text, spec=leg.spec),
            say("Give a whole number, such as dim=256."),
        )
    return int(text)


def _whole(leg: Leg, option: str, least: int, most: int) -> int | None:
    text = leg.options.get(option)
    if text is None:
        return None
    if not _is_whole(text) or not least <= int(text) <= most:
        raise SpecError(
            say("“{name}={value}” in {spec} is not possible.", name=option, value=text, spec=leg.spec),
            say("Give a whole number from {least} to {most}.", least=least, most=most),
        )
    return int(text)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _apart(leg: Leg, why: Text, remedy: Text) -> SpecError:
    return SpecError(say("The options of {spec} do not go together: {why}.", spec=leg.spec, why=why), remedy)
