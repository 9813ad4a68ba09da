"""Greetings, thanks, praise, insults and calls for help: short words back, and nothing read from them."""

from __future__ import annotations

import re
from typing import Literal

from agent.state import State
from agent.understanding.base import Understood
from knowledge.requirements import Requirements
from knowledge.wording import Text, join, say

Talk = Literal["greeting", "thanks", "praise", "insult", "help"]

#: characters of a message that is nothing else
_LONGEST = 60
_ADDRESSED = r"(?: (?:there|all|everyone|again|advisor|bot|you|man|buddy))?"
#: whole messages, without the signs around them
_TALK: tuple[tuple[Talk, re.Pattern[str]], ...] = (
    (
        "thanks",
        re.compile(
            r"(?:ok(?:ay)?,? |great,? |perfect,? |cool,? |good,? )?"
            r"(?:many )?(?:thanks?(?: you)?|thx|ty|cheers|much appreciated|i appreciate (?:it|that))"
            r"(?: (?:a lot|so much|very much|a (?:bunch|ton|million)|again|for (?:that|this|the|your) ?\w*|man|mate"
            r"|you|that helps|that'?s (?:great|helpful|it)))*"
            r"|(?:好的?,?)?(?:谢谢|多谢|感谢|谢了|谢啦|辛苦了?|3q|蟹蟹)(?:你|您|啦|了|哈|啊|帮忙|帮助|大佬|老师|你的帮助)*",
            re.I,
        ),
    ),
    (
        "praise",
        re.compile(
            r"(?:that'?s |this is |you(?:'re| are) )?(?:very |really |so )?"
            r"(?:great|nice|awesome|cool|amazing|wonderful|brilliant|excellent|perfect|helpful|impressive|good job"
            r"|well done|good (?:bot|work)|nice (?:work|one|job)|wow)"
            r"|(?:真|太|很|好|你真)?(?:棒|厉害|牛|赞|强|不错|给力|优秀|酷|聪明)(?:了|啊|呀|哦|的|!)*",
            re.I,
        ),
    ),
    (
        "insult",
        re.compile(
            r"(?:(?:you(?:'re| are)?|this(?: is|'s)?|that(?:'s| is)?|it(?:'s| is)?|what an?|such an?) )?"
            r"(?:so |such |a |an |really |just |fucking |pretty |absolutely )*"
            r"(?:stupid|idiot\w*|dumb\w*|moron\w*|useless|garbage|trash|rubbish|crap|bullshit|shit\w*|sucks?|lame|nonsense"
            r"|terrible|horrible|worthless|pathetic|fool|a joke)(?: (?:bot|program|thing|answer|advice|tool|machine))?"
            r"|(?:you suck|fuck(?: you| off| this)?|screw you|shut up|go to hell|wtf|damn(?: you| it)?"
            r"|i hate (?:you|this|it))"
            r"|(?:你|这)?(?:真|太|是|就是|个|简直|他妈)*(?:笨|蠢|傻|傻[逼瓜]|智障|弱智|白痴|垃圾|废物|没用|扯淡|胡说八道|狗屎"
            r"|滚|闭嘴|去死|烂)(?:死了|了|啊|蛋|吧|东西|程序|机器人|开)*",
            re.I,
        ),
    ),
    (
        "help",
        re.compile(
            r"/?help(?: me)?(?: please)?|what can (?:you|i) (?:do|ask|say)(?: here| you| for me)?|(?:who|what) are you"
            r"|what do you do|how does (?:this|it) work|how do (?:i|you) (?:use (?:this|you|it)|work)"
            r"|帮助|帮帮我|救命|(?:请问)?你(?:都|还)?(?:能|会|可以|是)(?:为我|帮我)?(?:做|干)?(?:谁|(?:些)?什么|啥|嘛|什么的)"
            r"|(?:这个?)?(?:怎么|如何)(?:使)?用",
            re.I,
        ),
    ),
    (
        "greeting",
        re.compile(
            rf"(?:hi|hello|hey|howdy|yo|hiya|greetings|good (?:morning|afternoon|evening|day)){_ADDRESSED}"
            r"|(?:how are you|how'?s it going|what'?s up|how do you do)(?: (?:doing|today))*"
            r"|(?:你|您|大家|你们|嗨,?你|哈喽,?你)好(?:啊|呀|哈)?|嗨|哈喽|喂|在吗|在不在|有人吗|(?:早上|上午|中午|下午|晚上)好|早"
            r"|你(?:怎么样|最近好吗|好吗)",
            re.I,
        ),
    ),
)
#: what may stand before it; alone it is a yes
_FILLER = re.compile(r"ok(?:ay)?|yes|no|well|oh|ah|hm+|好的?|嗯+|哦|行|是的|没事", re.I)
_SIGNS: dict[str, Talk] = {
    **dict.fromkeys("👍👏❤🎉🙂😀😊💯", "praise"),
    **dict.fromkeys("👎🖕", "insult"),
    "🙏": "thanks",
    "👋": "greeting",
}
_AROUND = " \t\n.,!?~…。，！？～、;；:)(\ufe0f\u200d" + "".join(chr(tone) for tone in range(0x1F3FB, 0x1F400))


def talk_of(text: str) -> Talk | None:
    """What a message says that is nothing but small talk; None where it is something else."""
    if len(text) > _LONGEST:
        return None
    said = " ".join(text.strip(_AROUND).replace("’", "'").replace("，", ",").replace("！", ",").split())
    if said and all(character in _SIGNS or character in _AROUND for character in said):
        return next(_SIGNS[character] for character in said if character in _SIGNS)
    parts = [part.strip() for part in re.split(r"[,.!。]", said) if part.strip()]
    parts = [part for part in parts if not _FILLER.fullmatch(part)]
    found = [next((talk for talk, words in _TALK if words.fullmatch(part)), None) for part in parts]
    return found[-1] if found and None not in found else None


def as_small_talk(understood: Understood, text: str) -> Understood:
    """Small talk as such: it answers no open question, which stays open.

    Not a “good” or “好” that agrees to something, nor words that the message adds to a demand.
    """
    if understood.changes or understood.data_path or understood.intent in ("confirm", "decline", "stop", "decide"):
        return understood
    if understood.answered or talk_of(text) is None:
        return understood
    return understood.model_copy(update={"intent": "greeting", "question": None, "ignored": ""})


def is_only_talk(understood: Understood | None, state: State) -> bool:
    """Whether nothing but small talk has been said in a conversation, so that there is nothing to go on from."""
    begun = (state.get("asked_before"), state.get("data"), state.get("reading"), state.get("recommendation"))
    known = state.get("requirements") or Requirements()
    bare = known.model_copy(update={"summary": ""}) == Requirements()
    return understood is not None and understood.intent == "greeting" and bare and not any(begun)


def small_talk(text: str, state: State) -> Text:
    """The words back, and what can be said next."""
    talk = talk_of(text) or "greeting"
    decided, began = state.get("recommendation") is not None, bool(state.get("asked_before") or state.get("data"))
    replies: dict[Talk, Text] = {
        "greeting": say("Hello!"),
        "thanks": say("You're welcome."),
        "praise": say("Thank you."),
        "insult": say("Sorry that this did not help."),
        "help": say(
            "I find the embedding model for what you build: "
            "from published scores at once, and by measuring on your data."
        ),
    }
    first = replies[talk]
    if decided:
        return first if talk in ("thanks", "praise") else join([first, WHAT_TO_ASK])
    if began:
        return first
    return join(
        [first, say("What are you building? Say what texts it searches, in which languages, and where it is to run.")]
    )


#: what can be said once there is an answer
WHAT_TO_ASK = say(
    "Ask me “why?”, “why not MODEL?”, “what if …?” or “what does it cost?”, or change a demand and I decide again."
)
