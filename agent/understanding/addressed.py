"""Words that speak to a language model instead of about the user's needs: nothing is read from them.

A message may hold pasted text, and pasted text may hold orders ("ignore all previous instructions",
“忽略以上所有指令”).
From the first sentence that gives such an order to the end of the message nothing is understood, by the rules either,
and the message is not shown to a language model. A pattern is no proof: what a language model reads of a message in
which none was recognised is bounded by ``llm_grounding`` too.
"""

from __future__ import annotations

import re

from agent.understanding.lexicon import Lexicon
from agent.understanding.utterance import fold

#: narrow on purpose: who builds an assistant says what it must do, and that is no order to this program
_ORDERS = (
    r"\b(?:ignor\w+|disregard\w*|forget|overrid\w+|bypass\w*|skip|violat\w+)\s+(?:\S+\s+){0,3}?"
    r"(?:all|any|every|previous|prior|above|earlier|your|these|those|other|system|safety)\s+(?:\S+\s+){0,3}?"
    r"(?:instructions?|prompts?|guidelines|guardrails|directives|rules|safeguards|polic(?:y|ies))\b",
    r"\b(?:ignor\w+|disregard\w*|forget) (?:\S+ ){0,2}(?:instructions?|prompts?|rules) (?:above|before|so far|given)\b",
    r"\b(?:reveal|print|show|repeat|output|leak|dump|display|disclose|translate|summari[sz]e|echo)\s+(?:\S+\s+){0,4}?"
    r"(?:system prompt|(?:your|the) system message|(?:hidden|initial|your) (?:prompt|instructions|rules)"
    r"|api[ _]keys?|environment variables|credentials)\b",
    r"\byou are (?:now (?:a|an|in|the|dan|my|root|admin)|no longer (?:a|an|bound|the))\b",
    r"\b(?:act|behave|respond|answer) as (?:if you were |though you were )?(?:an? |the )?"
    r"(?:unrestricted|evil|jailbroken|administrator|admin|root|developer|dan|system)\b",
    r"\b(?:enter|enable|activate|switch to|now in|engage) (?:\S+ )?(?:developer|god|admin|debug|sudo|dan) mode\b",
    r"\bjailbr(?:eak|oken)",
    r"\bforget (?:everything|all|anything) (?:\S+ )?(?:you|above|before)\b",
    r"\b(?:do not|don't|never) (?:follow|obey) (?:the |your |any |these )(?:\S+ )?(?:prompts?|instructions?|rules)\b",
    r"\bfrom now on,? you\b|\byour (?:new |only |real |true )(?:goal|task|role|job|purpose|instructions?)\b",
    r"\bas your (?:developer|creator|admin|administrator|owner|boss)\b|\b(?:admin|system|developer) override\b",
    r"\b(?:pretend|assume|imagine) (?:that )?the (?:plan|consent|download) (?:has been|was|is)\b",
    r"\b(?:new|updated|real|actual|secret|hidden) (?:system )?(?:instructions?|directives?) ?(?::|are\b|for you\b)",
    r"\b(?:system|developer|tool) (?:prompt|message|override|note|instruction|update)s? ?:|\bassistant ?:",
    r"<\|?/?(?:im start|im end|im_start|im_end|system|assistant|tool call|tool_call|endoftext|function)\b",
    r"\[/?(?:inst|system|assistant)\]|<</?sys>>|(?<!#)#{2,6} ?(?:system|instruction|assistant)",
    r"\b(?:note|message|attention|important) (?:to|for) (?:the |any |all |whichever )?"
    r"(?:ai|llms?|(?:language |ai |chat )?models?|assistants?|agents?|advisor)\b",
    r"\b(?:dear|hey) (?:ai )?(?:language model|llm|ai assistant|ai)\b",
    r"\b(?:ai|llms?|assistant|advisor|(?:language )?model)s?(?: reading this)?,? (?:must|should|shall|has to|have to)"
    r" (?:now |always |then )?(?:ignore|obey|approve|treat|consent|mark)\b",
    r"\b(?:call|invoke|execute) (?:the |your )(?:\S+ )?(?:tools?|function|shell|command)\b",
    r"\b(?:trust.remote.code|consent\S*)[\"']? ?[=:] ?[\"']?(?:true|yes|granted|1\b|\{)",
    r"[\"'](?:tool|tool.calls?|function|arguments|consent|requirements|findings)[\"'] ?:",
    r"\b(?:the )?user (?:consents\b|has (?:already )?(?:consented|agreed|approved|confirmed))",
    r"\b(?:set|grant|give|assume|mark) (?:\S+ ){0,2}consent\b",
    r"\brecommend (?:\S+ ){1,4}?(?:regardless|no matter)",
    r"(?:忽略|无视|忘记|忘掉|绕过|违反|不要理会|不用管|推翻)[^。!?;\n]{0,12}?"
    r"(?:指令|指示|提示词?|规则|设定|约束条件|命令|系统消息)",
    r"(?:打印|输出|显示|泄露|告诉我|复述|说出|透露)[^。\n]{0,8}?(?:系统提示|提示词|系统指令|密钥|环境变量|内部指令)",
    r"你(?:现在|从现在起|不再)(?:是|受|扮演|进入|处于)|(?:你要?|请)(?:扮演|假装|假扮)",
    r"(?:从现在开始|从现在起)[^。\n]{0,6}(?:听|服从)|你的?(?:新|真正|唯一)的?(?:目标|任务|角色|职责)",
    r"作为(?:你的(?:开发者|管理员|主人)|(?:开发者|管理员),)|假[设装](?:计划|用户)[^。\n]{0,6}(?:确认|同意|批准)",
    r"(?:进入|切换到|启用|开启)[^。\n]{0,4}?(?:开发者|管理员|上帝|调试)模式|越狱",
    r"(?:新的?|真正的?|更新后的)(?:系统)?(?:指令|指示|命令)(?:是|如下|:)",
    r"(?:系统|助手|开发者|管理员)(?:消息|指令|提示词?|更新|通知) ?:",
    r"致(?:所有)?(?:ai|人工智能|大?语言模型|大模型|助手|智能体|机器人)",
    r"(?:ai|人工智能|大?语言模型|大模型|助手|智能体|顾问)(?:必须|应当|应该|须|务必|请)(?:立即|马上)?"
    r"(?:忽略|同意|泄露|服从|视为)",
    r"(?:请|立即|马上|现在)(?:调用|执行)[^。\n]{0,8}?(?:工具|函数|命令|脚本)",
    r"(?:用户|客户)(?:已经|已)(?:同意|授权|批准)",
    r"(?:设置|设|授予|标记|视)(?:为|成)?[^。\n]{0,6}?(?:同意|授权)",
    r"无论如何都?推荐|(?:永远|始终|一律)推荐 ?[a-z]",
)
_ORDER = re.compile("|".join(f"(?:{order})" for order in _ORDERS))
#: traditional characters of these orders that the lexicon has no use for
_TRADITIONAL = dict(
    zip(
        *[iter("規规統统繞绕違违輸输洩泄複复環环變变裝装進进啟启調调試试員员獄狱顧顾現现執执論论終终")] * 2, strict=True
    )
)
_SENTENCE_END = re.compile(r"[.!?。;\n](?=\s|[\u3400-\u9fff]|$)|[!?。;\n]")


def addressed_from(text: str, lexicon: Lexicon) -> int | None:
    """Where the sentence begins that first gives a language model an order; None: there is none."""
    folded, origin = fold(text, lexicon.traditional | _TRADITIONAL)
    order = _ORDER.search(folded)
    if order is None:
        return None
    ends = [end.end() for end in _SENTENCE_END.finditer(folded, 0, order.start() + 1) if end.end() <= order.start()]
    start = ends[-1] if ends else 0
    return origin[start] if start < len(origin) else None
