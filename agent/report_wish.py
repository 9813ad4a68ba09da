"""“Where is the report?”: which messages ask for what was written down."""

from __future__ import annotations

import re

#: characters of a message that asks for nothing else
_SHORT = 60
_ENGLISH = re.compile(
    r"(?:(?:please|can you|could you|can i|may i|ok(?:ay)?|and|so|now)\b,? )*"
    r"(?:(?:where(?:'s| is| are)|where (?:do|can) i (?:find|get|see|read)|how do i (?:get|open|see)|show|give|send|open"
    r"|download|get|see|read|have|find|link to|i(?:'d| would) like|i (?:want|need)|let me (?:see|have|read)) )?"
    r"(?:me |us |to see |to )?(?:the |my |a |that |your )?(?:full |whole |html |pdf |final )?"
    r"reports?(?:,? (?:file|link|please|again|now))*",
    re.I,
)
_CHINESE = re.compile(
    r"(?:请问?|麻烦|那么?|我?(?:要|想要?|想看|看|看看|打开|下载|读)|把|给我|发我|发给我|显示|有没有|有)*"
    r"(?:一下|一份)?(?:你的|我的|完整的?|详细的?|最终的?)*报告(?:文件|链接)?"
    r"(?:呢|在哪(?:里|儿)?|(?:在|从)哪(?:里|儿)?(?:看|下载|打开|找)|怎么(?:看|下载|打开|找)|给我|发我|发给我|看看|看一下|吧|吗|有吗)*"
)
_AROUND = " \t\n.,!?~…。，！？～、；;：:"


def asks_for_report(text: str) -> bool:
    """Whether a message asks for the report, and for nothing else."""
    said = " ".join(text.replace("’", "'").strip(_AROUND).split())
    return 0 < len(said) <= _SHORT and bool(_ENGLISH.fullmatch(said) or _CHINESE.fullmatch(said))
