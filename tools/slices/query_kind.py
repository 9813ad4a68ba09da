"""What kind of query it is: a question, keywords, a statement, code, a number or an id.

Told by rules for English and Chinese from the text alone, so that an application can tell it too before it searches.
In other languages only question marks, code, numbers, the end of a sentence and the length tell.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["question", "keywords", "statement", "code", "number"]

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ASKS = re.compile(
    r"[?？]\W*$"
    r"|^\W*(?:what|how|why|when|where|who|whom|whose|which|what's|who's|how's|where's)\b"
    # “can”, “will” and “is” also begin names and phrases: “will smith movies”
    r"|^\W*(?:can|could|do|does|did|is|are|was|were|will|would|should|has|have|am)\s+"
    r"(?:i|you|we|they|he|she|it|there|the|an?|this|that|these|those|my|your|our|their|someone|anyone|people)\b"
    rf"|(?<=[{_HAN}])(?:吗|呢|么)\W*$"
    r"|什么|怎么|怎样|如何|何时|何地|为何|为啥|啥|哪[里个些儿种家位年天]?|谁|多少|多久|多长|多大|多远|(?<!十)几(?![乎何经度率])|是否|是不是"
    r"|有没有|能不能|可不可以|会不会|要不要|行不行|干嘛",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"=>|::|->|[!=]==?|&&|\|\||^\s*#include|</?[a-z][\w-]*(?:\s[^<>]*)?/?>"
    r"|\b[a-z_][\w.]*\([^()]*\)\s*[;{:]|[;{}]\s*$"
    r"|^\s*(?:def|class|func|fn|function|public|private|static|const|let|var|import|from|package|return)\s+[\w{*]+"
    r"(?:\s*[({:;=.]|\s+(?:import|class|static|void|int)\b)"
    r"|\bselect\b.+\bfrom\b|\binsert\s+into\b|^\s*(?:\$|>>>)\s"
    r"|^\s*[A-Za-z_]\w*(?:\.\w+)*(?:\([^()]*\)(?:\.\w+)*)+\s*$"  # calls and nothing else
    r"|^\s*(?:[a-z]+_[a-z_\d]+|[a-z]+[A-Z]\w*|\w+(?:\.[a-z_]\w*){2,})\s*$",  # an identifier and nothing else
    re.MULTILINE,
)
_SQL = re.compile(r"\b(?:select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from)\b", re.IGNORECASE)
#: runs of Latin letters, digits and what stands within part numbers
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#:-]*")
_ENDS = re.compile(r"[.!。！…]\W*$")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|be|been|does|did|do|can|could|will|would|should|must|may|might|isn't|aren't|don't"
    r"|doesn't|didn't|can't|cannot|won't|i|i'm|i've|we|you|they|he|she|it's)\b",
    re.IGNORECASE,
)
_FINITE_ZH = re.compile(r"是|了|在|有|被|会|能|可以|不|没|应该|需要|导致|使用|我")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff" + _HAN + "]")
#: so many words, or characters of a script without spaces, are no keywords
_LONG, _LONG_UNSPACED = 12, 18
#: fewer are not a sentence, whatever words they are
_SHORT, _SHORT_UNSPACED = 4, 8
#: share of the characters that stands in numbers or ids
_MOSTLY = 0.5


def kind_of(query: str) -> Kind:
    """The kind of a query."""
    text = query.strip()
    if _ASKS.search(text):
        return "question"
    if _CODE.search(text) or _SQL.search(text):
        return "code"
    if _is_number(text):
        return "number"
    return "statement" if _is_statement(text) else "keywords"


def _is_number(text: str) -> bool:
    """Whether most of it is a number or an id: ``INV-2023-0042``, ``sku 88213``, ``订单 2023110501``."""
    characters = sum(not c.isspace() for c in text)
    ids = sum(len(found) for found in _TOKEN.findall(text) if len(found) > 2 and any(map(str.isdigit, found)))
    return characters > 0 and ids >= _MOSTLY * characters


def _is_statement(text: str) -> bool:
    unspaced = len(_UNSPACED.findall(text))
    if unspaced * 2 > len(text):
        said = bool(_FINITE_ZH.search(text)) or bool(re.search(r"[，；。！]|\.\W*$", text))
        return unspaced > _LONG_UNSPACED or (unspaced >= _SHORT_UNSPACED and said)
    words = len(text.split())
    if words > _LONG:
        return True
    return words >= _SHORT and bool(_FINITE.search(text) or _ENDS.search(text))
