"""Texts that are not UTF-8: which encoding they have, told by how plausible they read, and reading them as UTF-8.

UTF-16 says itself what it is, by the mark at its start. Of the others UTF-8 is tried first, strictly: other texts that
are not ASCII are practically never valid UTF-8. Then those in which spreadsheets save East Asian texts where they are
not told otherwise are decoded one by one: nearly any bytes are some characters in each of them, but only in the right
one do they read as a language, of everyday characters (`_reads`). Where none does, nothing is guessed.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

#: bytes of a file that are tried for UTF-8, or looked through after the first that is not; and as many of them, without
#: what is ASCII, are tried for the others
SEARCHED, SAMPLE = 16 * 2**20, 256 * 2**10
_BLOCK = 2**20
#: stands for bytes that are no characters in the encoding: it is written as a byte that is never UTF-8
_BROKEN = "\udcff"
_MARKS = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_ASCII_RUN = re.compile(rb"([\x00-\x7f])[\x00-\x7f]{2,}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

#: the commonest characters of written Chinese, which make up more than half of any text; simplified and traditional
_COMMON_HANZI = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方"
    "多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情"
    "明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
    "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太"
    "量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象"
    "完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运请"
    "這個們來為國說時會對過發後裡種經學當沒動還進樣開從實軍無與長機關點業將兩間問並應戰頭體見產制話給門東聲員論處義幾認條氣"
    "題爾別變總電數報結務場計資許統區隊決馬書則聽卻達強難權設記類據邊張該規萬覺術領確傳師觀讓識帶導爭運請"
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")


@dataclass(frozen=True)
class Encoding:
    """An encoding that is tried.

    Attributes:
        name: as it is shown, and as Python and iconv know it.
        everyday: whether the bytes of one character other than ASCII are those of an everyday one.
        reads: the share of the characters given to it that only the right language is full of, and from what share on.
    """

    name: str
    everyday: Callable[[bytes], bool]
    reads: tuple[Callable[[str], float], float]


def _hanzi_share(text: str) -> float:
    hanzi = [c for c in text if "\u3400" <= c <= "\u9fff"]
    return sum(c in _COMMON_HANZI for c in hanzi) / max(1, len(hanzi))


def _kana_share(text: str) -> float:
    return len(_KANA.findall(text)) / max(1, len(text))


def _is_everyday_gb(raw: bytes) -> bool:
    """Punctuation, or level 1 of GB 2312: 3,755 hanzi."""
    return len(raw) == 2 and raw[1] >= 0xA1 and (0xA1 <= raw[0] <= 0xA3 or 0xB0 <= raw[0] <= 0xD7)


def _is_everyday_big5(raw: bytes) -> bool:
    """Punctuation, or level 1 of Big5: 5,401 hanzi."""
    return len(raw) == 2 and 0xA1 <= raw[0] <= 0xC6


def _is_everyday_shift_jis(raw: bytes) -> bool:
    """Punctuation, kana, or level 1 of JIS X 0208: 2,965 kanji; no half-width kana, which any bytes look like."""
    return len(raw) == 2 and 0x81 <= raw[0] <= 0x98


#: the first that reads is taken
TRIED = (
    Encoding("GB18030", _is_everyday_gb, (_hanzi_share, 0.3)),
    Encoding("Big5", _is_everyday_big5, (_hanzi_share, 0.3)),
    Encoding("Shift_JIS", _is_everyday_shift_jis, (_kana_share, 0.2)),
)
_CODECS = {"Shift_JIS": "cp932", "Big5": "cp950"}
_EVERYDAY, _BROKEN_AT_MOST = 0.8, 0.02
#: of fewer characters nothing is told
_FEWEST = 8


def _keep_place(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _BROKEN, error.end


codecs.register_error("advisor_keep_place", _keep_place)


def encoding_at(stream: BinaryIO) -> str | None:
    """The encoding of a file that has just been opened; None where it is UTF-8, or none that reads.

    Of a file in UTF-8 with some broken characters it is UTF-8. Nothing is told of more than `SEARCHED` bytes.
    """
    start = stream.read(_BLOCK)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    block, searched, valid = start, 0, 0
    while block and searched < SEARCHED:
        try:
            valid += _beyond_ascii(decoder.decode(block))
        except UnicodeDecodeError as error:
            # where a line begins, a character begins
            line = error.object.rfind(b"\n", 0, error.start) + 1
            valid += _beyond_ascii(error.object[:line].decode("utf-8", errors="replace"))
            return _told(_sample(error.object[line:], stream), valid)
        searched += len(block)
        block = stream.read(_BLOCK)
    return None


def told_of(raw: bytes) -> str | None:
    """The encoding of bytes that are not UTF-8; None where none reads."""
    return _told(_squeezed(raw), 0)


def _sample(sample: bytes, stream: BinaryIO) -> bytes:
    """What is telling of the bytes that begin with `sample` and go on in `stream`: they may be ASCII for the most."""
    sample, searched = _squeezed(sample), len(sample)
    while len(sample) < SAMPLE and searched < SEARCHED and (block := stream.read(_BLOCK)):
        sample, searched = sample + _squeezed(block), searched + len(block)
    return sample[:SAMPLE]


def _squeezed(raw: bytes) -> bytes:
    # the first byte of a run of ASCII may be the second of a character
    return _ASCII_RUN.sub(rb"\1 ", raw)


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else len(_NOT_ASCII.findall(text))


def _told(sample: bytes, valid: int) -> str | None:
    loose = sample.decode("utf-8", errors="replace")
    broken = loose.count("\ufffd")
    if valid + _beyond_ascii(loose) - broken >= broken:
        return None  # UTF-8 with broken characters
    return next((encoding.name for encoding in TRIED if _reads(sample, encoding)), None)


def _reads(sample: bytes, encoding: Encoding) -> bool:
    """Whether bytes read as a language in an encoding."""
    codec = _CODECS.get(encoding.name, encoding.name)
    text = codecs.getincrementaldecoder(codec)("advisor_keep_place").decode(sample)
    characters = [c for c in text if c > "\x7f"]
    if len(characters) < _FEWEST or sum(c == _BROKEN for c in characters) > _BROKEN_AT_MOST * len(characters):
        return False
    everyday = sum(encoding.everyday(c.encode(codec, "replace")) for c in characters if c != _BROKEN)
    share, least = encoding.reads
    return everyday >= _EVERYDAY * len(characters) and share("".join(characters)) >= least


class AsUtf8(io.RawIOBase):
    """A stream in another encoding, read as UTF-8; what is no character in it becomes a byte that is not UTF-8."""

    def __init__(self, source: BinaryIO, encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(_CODECS.get(encoding, encoding))("advisor_keep_place")
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer; 0 at the end."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._left and not self._ended:
            raw = self._source.read(2**16)
            self._ended = not raw
            text = self._decoder.decode(raw, final=self._ended)
            self._left = text.encode("utf-8", "surrogateescape")
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
