"""“Redo it with my new data”: which messages ask for another measurement once there is an answer."""

from __future__ import annotations

import re

_AGAIN = re.compile(
    r"\bre-?(?:do|run|measure|evaluate|test|peat|calculate)\b"
    r"|\b(?:do|run|try|measure|evaluate|test|start|benchmark)\b(?: \w+){0,3} (?:again|anew|afresh|once more|over)\b"
    r"|\b(?:measure|evaluate|test|benchmark|try)\b(?: (?:it|them|that|this|these))? (?:on|with) (?:my|our)\b"
    r"|[用在]我们?(?:自己)?的.{0,6}?[上来]?(?:测|评)"
    r"|重(?:新)?(?:测|做|跑|评|算|来|试|选)|再(?:测|做|跑|评|算|来|试)|换(?:成|个|一份|一批|上|用)?(?:新|我|另|别)?的?(?:新)?数据",
    re.IGNORECASE,
)
_OTHER_DATA = re.compile(
    r"\b(?:new|newer|other|another|different|updated|fresh|real|own|my|our)\b(?: \w+){0,2} "
    r"(?:data|dataset|corpus|documents|docs|files?|queries|labels|judg[e]?ments)\b"
    r"|(?:新|别|另|其他|更新|换|自己|我)[^，。！？]{0,6}(?:数据|语料|文档|文件|标注)",
    re.IGNORECASE,
)


def asks_to_redo(text: str) -> bool:
    """Whether a message wants everything measured once more."""
    return _AGAIN.search(text) is not None


def means_other_data(text: str) -> bool:
    """Whether that is to be on other data than the last time."""
    return _OTHER_DATA.search(text) is not None
