"""What it is for: task, domain, exact words in queries, the hardware, the model in use today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from agent.understanding.findings import Finding
from agent.understanding.names import Names
from agent.understanding.negation import dropped, negated, soft
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit
from knowledge.constraints import CONSTRAINTS
from knowledge.wording import say

#: the most telling first: "semantic search for our RAG chatbot" is RAG
_SPECIFIC = (
    "cross_modal",
    "code_search",
    "reranking",
    "deduplication",
    "clustering",
    "classification",
    "recommendation",
    "rag",
    "similarity",
    "search",
)
#: words that say what every retrieval system does
_GENERIC = frozenset(
    ["search", "searching", "search in", "users search", "retrieve", "retrieval", "look", "up", "搜索", "检索", "查找"]
)


#: who says so wants search, whatever it is that is searched; and what that may be besides a task of its own
_SEMANTIC = frozenset(["semantic search", "vector search", "neural search", "语义搜索", "语义检索", "向量检索"])
_SEARCHABLE = frozenset(
    ["q&a", "q and a", "question answering", "knowledge base", "知识库", "问答", "知识库问答", "智能客服", "智能问答"]
)
#: what gives up all that the clause goes on to say
_FORGET = ("forget", "scrap", "ditch", "不提了")
#: telling words that it takes to speak of a task
_HINTS = 2
#: tokens of what is sorted: "sort app store reviews into"
_SORTED = 8
#: words from an article to its noun: "a small Kafka cluster"; and what makes a verb of the noun
_ARTICLE, _ARTICLES, _VERBAL = 4, frozenset(("a", "our", "the", "my", "their")), frozenset(("to", "and", "we", "can"))
#: what comes right before a verb; and the questions to which a lone word of a trade is an answer by the way
_BEFORE_VERBS = frozenset(
    ("may", "must", "can", "could", "will", "would", "shall", "should", "ever", "never", "cannot")
)
_ALSO_VERBS, _WHO = frozenset({"travel", "contract", "patent", "court"}), frozenset({"i", "we", "they", "you", "to"})
_OF_OTHER_MATTERS = frozenset(
    {"license", "hosting", "cost", "latency", "hardware", "gpu", "memory", "dimension", "data"}
)
#: tokens of the last clause of a way of saying something, to whose end a negation there reaches
_DENIED = 4
#: tokens from a verb of finding to the model that is to be found
_MODEL_FOLLOWS = 4
#: characters between "we use" and the name of what is used
_NEAR = 30


def _wanted(reading: Reading, category: str) -> list[Hit]:
    hits = reading.utterance.of_category(category)
    return [
        h for h in hits if not negated(reading.utterance, h) and not (category == "task" and _in_passing(reading, h))
    ]


def _in_passing(reading: Reading, hit: Hit) -> bool:
    """Whether a task is only what a number counts ("1M searches per day") or what is given up ("forget the ...")."""
    u = reading.utterance
    forgotten = u.in_clause(u.clauses[hit.start], "drop")
    if _is_machines(reading, hit) or _is_of_exact_words(reading, hit) or _ends_denied(reading, hit):
        return True
    if _is_for_a_model(reading, hit):
        return True
    counted = reading.counted(hit) and (hit.value == "search" or not hit.shaped)
    return counted or any(h.term.startswith(_FORGET) and h.start < hit.start for h in forgotten)


def _is_for_a_model(reading: Reading, hit: Hit) -> bool:
    """Whether what is to be found is the model itself: "can you find a good embedding model for me"."""
    u = reading.utterance
    found = u.clauses[hit.start : hit.end + _MODEL_FOLLOWS].count(u.clauses[hit.start]) + hit.start
    models = (
        i for i in range(hit.start, found) if u.tokens[i].text in ("model", "models") or u.words(i, i + 1) == "型"
    )
    sought = next(models, None)
    if hit.value != "search" or not hit.shaped or sought is None:
        return False
    after = u.tokens[sought + 1].text if sought + 1 < len(u.tokens) else ""
    return after not in ("number", "numbers", "name", "names", "answer", "号")


def _is_machines(reading: Reading, hit: Hit) -> bool:
    """Whether the cluster is one of machines: "a Kafka cluster", "our cluster"; not "cluster our tickets"."""
    u = reading.utterance
    before = [u.tokens[i].text for i in range(max(hit.start - _ARTICLE, 0), hit.start)]
    return hit.term == "cluster" and bool(_ARTICLES & set(before)) and not _VERBAL & set(before[-1:])


def _ends_denied(reading: Reading, hit: Hit) -> bool:
    """Whether its last clause says that it is not wanted: "... the papers, without writing an answer", 不用生成回答."""
    u = reading.utterance
    last = u.clauses[hit.end - 1]
    denials = (h for h in u.in_clause(last, "negation") if hit.start < h.start and 0 <= hit.end - h.end <= _DENIED)
    return hit.shaped and hit.value == "rag" and last != u.clauses[hit.start] and any(denials)


def _is_of_exact_words(reading: Reading, hit: Hit) -> bool:
    """Whether what matches are characters, and not texts: "names have to match to the letter"."""
    exact = (k for k in reading.utterance.of_category("keyword") if k.value == "stated")
    return hit.value == "similarity" and any(k.start < hit.end and hit.start < k.end for k in exact)


def _replaces(reading: Reading, about: str, incidental: bool) -> bool:
    """Whether a mention may replace what was stated before: not one in passing."""
    current = getattr(reading.requirements, about)
    if not incidental or current is None or current.origin != "stated":
        return True
    taken_back = any(
        h.value == current.value and negated(reading.utterance, h) for h in reading.utterance.of_category(about)
    )
    return reading.asked == about or taken_back or bool(reading.utterance.of_category("correction"))


def read_task(reading: Reading) -> Iterator[Finding]:
    """The task, and the kinds of data it needs."""
    hits = _wanted(reading, "task")
    if not hits:
        yield from _implied_task(reading)
        return
    corrected = [h for h in hits if _comes_after_correction(reading, h)]
    named = corrected or hits
    hits = _unless_only_searched(named)
    for searched in named:  # whatever is not the task names the texts, and is understood as that
        if searched not in hits:
            reading.use(searched)
    if reading.utterance.of_category("past") and any(h.value == "search" for h in hits):
        hits = [h for h in hits if h.value != "similarity"]  # "see earlier repairs that were like this one"
    best = min(hits, key=lambda h: (_SPECIFIC.index(h.value), h.start))
    for hit in hits:
        if hit.value in (best.value, "search"):
            reading.use(hit)
    pictures = _searched_by_words(reading, best)
    if pictures:
        words = reading.use(pictures)
        rule = say("“{words}” are found by words, or by each other", words=words)
        yield Finding("task", "cross_modal", words, reading.because(rule))
        return
    if _replaces(reading, "task", incidental=best.term in _GENERIC or (best.shaped and best.value == "search")):
        yield Finding("task", best.value, reading.use(best))


def other_tasks(reading: Reading, task: str) -> list[str]:
    """The tasks that a message asks for beside the one that was taken, most telling first.

    Words for searching are not among them: whatever is decided for, people also search.
    """
    hits = _wanted(reading, "task")
    corrected = [hit for hit in hits if _comes_after_correction(reading, hit)]
    named = {hit.value for hit in corrected or hits} - {task, "search", "similarity", "reranking"}
    return [value for value in _SPECIFIC if value in named]


def _unless_only_searched(hits: list[Hit]) -> list[Hit]:
    """The tasks without what only names the texts, where somebody says semantic search: 客服问答的语义搜索."""
    if not any(h.term in _SEMANTIC for h in hits) or any(h.value == "rag" and h.term not in _SEARCHABLE for h in hits):
        return hits
    return [h for h in hits if h.term not in _SEARCHABLE]


def _searched_by_words(reading: Reading, task: Hit) -> Hit | None:
    """What is searched and is no text, in the sentence that says so: "search 40,000 photographs"."""
    u = reading.utterance
    if task.value != "search" or reading.requirements.task.origin == "stated":
        return None
    kinds = (h for h in _wanted(reading, "modality") if u.sentences[h.start] == u.sentences[task.start])
    return next((h for h in kinds if not _in_words(reading, h)), None)


def _implied_task(reading: Reading) -> Iterator[Finding]:
    """The task that nobody named, where what is to be done says it; never in place of one that is known."""
    if reading.requirements.task.origin != "assumed" and reading.asked != "task":
        return
    sorted_into = _sorted_into(reading)
    if sorted_into:
        rule = say("“{words}” is classification", words=sorted_into)
        yield Finding("task", "classification", sorted_into, reading.because(rule))
    else:
        yield from _hinted_task(reading)


def _hinted_task(reading: Reading) -> Iterator[Finding]:
    """The task that most of the telling words speak of, where one alone would not be enough.

    Asked for the task, one word will do; else it takes as many as `_HINTS` in what somebody wants, and more than for
    any other task.
    """
    u = reading.utterance
    hints: dict[str, dict[str, Hit]] = {}
    for hit in u.of_category("hint"):
        if not negated(u, hit) and not reading.counted(hit):
            hints.setdefault(hit.value, {}).setdefault(hit.term, hit)
    asked = reading.asked == "task"
    if not hints or not (asked or u.of_category("purpose")):
        return
    ranked = sorted(hints, key=lambda task: (-len(hints[task]), _SPECIFIC.index(task)))
    best = hints[ranked[0]]
    next_best = len(hints[ranked[1]]) if len(ranked) > 1 else 0
    if len(best) < (1 if asked else _HINTS) or len(best) == next_best:
        return
    words = ", ".join(reading.use(hit) for hit in best.values())
    rule = say("“{words}” suggests what is to be done", words=words)
    yield Finding("task", ranked[0], reading.use(next(iter(best.values()))), reading.because(rule))


def _sorted_into(reading: Reading) -> str:
    """The words that put texts into given classes: "sort them into bugs and praise", "-> 30 categories"; "" if none."""
    u = reading.utterance
    sorts = u.of_category("sort")
    for into in u.of_category("into"):
        sorting = [h for h in sorts if u.sentences[h.start] == u.sentences[into.start]]
        before = next((h for h in reversed(sorting) if 0 <= into.start - h.end <= _SORTED), None)
        if before:
            u.use(before.start, into.end)
            return u.words(before.start, into.end)
        for quantity in reading.quantities:
            if quantity.unit == "classes" and 0 <= quantity.start - into.end <= 1:
                u.use(into.start, quantity.end)
                return u.words(into.start, quantity.end)
    return ""


def _comes_after_correction(reading: Reading, hit: Hit) -> bool:
    """Whether it is what somebody corrected themselves to: "cluster them, no, actually classify them"."""
    u = reading.utterance
    corrections = [h.start for h in u.of_category("correction")]
    return any(start < hit.start for start in corrections)


def read_modality(reading: Reading) -> Iterator[Finding]:
    """Kinds of data other than text; the text stays among them, since queries are text unless told otherwise."""
    hits = [h for h in _wanted(reading, "modality") if not _in_words(reading, h)]
    if not hits:
        yield from _modality_of_the_task(reading)
    else:
        words = [reading.use(h) for h in hits]
        picture_to_picture = any(h.term in ("以图搜图", "图搜图", "image to image", "search by image") for h in hits)
        kinds = dict.fromkeys(h.value for h in hits)
        value = tuple(kinds) if picture_to_picture else ("text", *kinds)
        yield Finding("modality", {"modalities": value}, words[0], hard=not soft(reading.utterance, hits[0].start))


def _modality_of_the_task(reading: Reading) -> Iterator[Finding]:
    """What is found by words and is no text, where only the task says so: "describe a motif -> matching sketches"."""
    if reading.requirements.constraint(CONSTRAINTS["modality"]):
        return
    u, kinds = reading.utterance, reading.utterance.lexicon.tables["picture_kinds"]
    hit = next((h for h in _wanted(reading, "task") if h.value == "cross_modal" and h.shaped), None)
    if hit is not None:
        words = u.words(hit.start, hit.end)
        found = [kind for kind, names in kinds.items() if any(name in words.casefold() for name in names)] or ["image"]
        rule = say("“{words}” are found by words, or by each other", words=words)
        yield Finding("modality", {"modalities": ("text", *found)}, words, reading.because(rule))


def _in_words(reading: Reading, hit: Hit) -> bool:
    """Whether it is a text about something that is no text: video titles, 图片描述."""
    u = reading.utterance
    words = tuple(u.lexicon.tables["terms"]["told_in_words"]["yes"])
    turned = (h for h in u.of_category("turned_to_text") if u.sentences[h.start] == u.sentences[hit.start])
    told = any(h.term.startswith(words) for h in u.starting(hit.end)) or any(h.start >= hit.end for h in turned)
    if told:
        u.use(hit.start, hit.end)
    return told


def _is_done(reading: Reading, hit: Hit) -> bool:
    """Whether it is a verb: "no word may ever travel outside" speaks of no holidays."""
    before = reading.utterance.tokens[hit.start - 1].text if hit.start else ""
    return before in _BEFORE_VERBS or (hit.term in _ALSO_VERBS and before in _WHO)


def read_domain(reading: Reading) -> Iterator[Finding]:
    """The domain that is mentioned most; of several, that of what is to be found and not of who is looking.

    “我们做自行车网店，想让客服机器人找到帮助文档”: the shop is the user's, the texts are support articles.
    """
    hits = [h for h in _wanted(reading, "domain") if not _is_done(reading, h)]
    if not hits or (reading.asked in _OF_OTHER_MATTERS and len({h.term for h in hits}) == 1):
        return
    counts = Counter(h.value for h in hits)
    u = reading.utterance
    best = max(hits, key=lambda h: (counts[h.value], bool(u.in_clause(u.clauses[h.start], "task"))))
    for hit in hits:
        reading.use(hit)
    if _replaces(reading, "domain", incidental=True):
        yield Finding("domain", best.value, reading.use(best))


def read_keyword_match(reading: Reading) -> Iterator[Finding]:
    """Whether queries hold words that must be met exactly."""
    u = reading.utterance
    for hit in u.of_category("keyword"):
        if reading.counted(hit):
            continue
        words = reading.use(hit)
        if dropped(u, hit):
            yield Finding("keyword_match", None, words)
        elif negated(u, hit):
            yield Finding("keyword_match", False, words)
        elif _is_what_there_is(reading, hit):
            continue
        elif hit.value == "stated":
            yield Finding("keyword_match", True, words)
        else:
            rule = say("“{words}” has to be found exactly as written", words=words)
            yield Finding("keyword_match", True, words, reading.because(rule))


def _is_what_there_is(reading: Reading, hit: Hit) -> bool:
    """Whether it is the search of today that is spoken of, and not what is wanted: "our keyword search is terrible"."""
    u = reading.utterance
    clause = u.clauses[hit.start]
    return bool(u.in_clause(clause, "today")) and not u.in_clause(clause, "hard", "soft", "addition")


def read_gpu(reading: Reading) -> Iterator[Finding]:
    """Whether there is a GPU; one that is there outweighs a CPU that is mentioned too."""
    u = reading.utterance
    hits = [h for h in u.of_category("gpu") if not (_is_sold(reading, h) or _is_asked_after(reading, h))]
    if not hits:
        yield from _bare_cpu(reading)
        return
    for hit in hits:
        reading.use(hit)
    forgotten = next((h for h in hits if dropped(u, h)), None)
    if forgotten:  # "forget CUDA": of what nobody said that it is there, it says that it is not
        yield Finding("gpu", False if _is_given_up(reading, forgotten) else None, reading.use(forgotten))
        return
    there = [h for h in hits if h.value == "yes" and not negated(u, h)]
    there = [h for h in there if not u.in_clause(u.clauses[h.start], "forbidden")]  # "GPUs are off limits"
    absent = [h for h in hits if h not in there and not (h.value == "no" and negated(u, h))]
    if there and not (absent and absent[-1].start > there[-1].start and u.of_category("correction")):
        yield Finding("gpu", True, reading.use(there[0]))
    elif absent:
        yield Finding("gpu", False, reading.use(absent[0]))


def _is_given_up(reading: Reading, hit: Hit) -> bool:
    """Whether "forget CUDA" tells that there is none, and not that what was said or asked of it is taken back."""
    drops = (
        d for d in reading.utterance.in_clause(reading.utterance.clauses[hit.start], "drop") if d.start < hit.start
    )
    new = reading.requirements.gpu is None and reading.asked is None
    return new and any(d.term.startswith(_FORGET) for d in drops)


def _is_sold(reading: Reading, hit: Hit) -> bool:
    """Whether it is what the user deals in: "we sell graphics cards", 卖显卡."""
    return any(reading.utterance.ending(at, "sold") for at in (hit.start, hit.start - 1))


def _is_asked_after(reading: Reading, hit: Hit) -> bool:
    """Whether somebody asks which it is: "which GPU", 啥显卡."""
    return hit.start > 0 and reading.utterance.tokens[hit.start - 1].text in ("which", "what", "啥", "么")


def _bare_cpu(reading: Reading) -> Iterator[Finding]:
    """The word CPU in a clause of its own says what there is."""
    u = reading.utterance
    for i in (i for i, token in enumerate(u.tokens) if token.text == "cpu"):
        others = (j for j, clause in enumerate(u.clauses) if clause == u.clauses[i] and j != i)
        if all(u.lexicon.says_nothing(u.tokens[j]) for j in others):
            u.use(i, i + 1)
            yield Finding("gpu", False, u.words(i, i + 1))
            return


def read_best(reading: Reading) -> Iterator[Finding]:
    """Who wants nothing but quality gives none of it up for a cheaper model."""
    u = reading.utterance
    hits = [h for h in u.of_category("best") if not negated(u, h) and not u.in_clause(u.clauses[h.start], "loss")]
    if hits:
        words, *_ = [reading.use(h) for h in hits]
        rule = say("“{words}” suggests that no quality is given up for a cheaper model", words=words)
        yield Finding("margin", 0.0, words, reading.because(rule))


def incumbent_reader(names: Names, text: str) -> Callable[[Reading], Iterator[Finding]]:
    """Reads the model in use today: a name right after "we currently use", "目前用的是"."""

    def read(reading: Reading) -> Iterator[Finding]:
        u = reading.utterance
        for hit in u.of_category("incumbent"):
            position = u.span(hit.start, hit.end)[1]
            near = [n for n in names.models if 0 <= n.start - position <= _NEAR]
            # "OpenAI's text-embedding-3-small": the model rather than its maker
            name = next((n for n in near if any(c in "-/0123456789" for c in n.text)), near[0] if near else None)
            if name and not negated(u, hit) and not set("?!.。？！;；\n") & set(text[position : name.start]):
                reading.use(hit)
                known = u.lexicon.tables["model_alias"].get(name.text.casefold(), name.text)
                yield Finding("incumbent", known, name.text)
                return

    return read
