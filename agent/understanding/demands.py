"""Demands that are not numbers: licence, hosting, open weights, and demands taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from agent.answering.relative import read_relative
from agent.understanding.findings import SLOTS, Finding
from agent.understanding.negation import dropped, negated, negated_after, negated_before, soft
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit
from knowledge.constraints import CONSTRAINTS
from knowledge.wording import say

#: after "models for research only": they are what is not wanted
_UNWANTED = frozenset(["不要", "不行", "排除", "不考虑", "exclude", "excluded"])
#: licences that are known for something else too
_AMBIGUOUS = frozenset(["mit", "apache", "bsd"])
#: who they are and who their customers are, which says of what they need only that it may be for sale
_WHO_THEY_ARE = frozenset(
    {"我们公司", "我司", "客户", "our company", "customers", "clients", "our customers", "our clients"}
)
#: before "MIT": a place
_WHEREABOUTS = frozenset(["at", "from", "of", "in", "在"])
#: before a network that texts do not leave
_OUT_OF = frozenset(["出", "out"])
_RESEARCH = frozenset(["research", "academia"])
#: who refuses a licence refuses its other versions, too
_VERSION = re.compile(r"-\d.*$")
#: what a clause that only names licences may hold besides
_AROUND_LICENSE = frozenset(
    [
        "license_name",
        "only",
        "hard",
        "soft",
        "addition",
        "correction",
        "negation",
        "not_negation",
        "limit",
        "yes",
        "no",
        "interrogative",
        "usable_memory",
        "request",
        "what_if",
        "hypothetical_end",
        "put_in",
        "collection",
    ]
)

#: a machine of their own, named without a word of what may leave it, is where it runs
_PLACES = {"own_machine": "self_hosted"}
#: what shapes only suggest of a licence
_SUGGESTED = frozenset(["commercial", "noncommercial"])
#: terms that demand something of a model by themselves
_DEMANDS = frozenset(["language", "license", "hosting", "gpu", "open_weights"])


def read_license(reading: Reading) -> Iterator[Finding]:
    """Commercial use or not, and the licences accepted; wishes come after demands, which outweigh them."""
    said = sorted(_said_of_licenses(reading), key=lambda finding: not finding.hard)
    yield from said or _own_use(reading)


def _own_use(reading: Reading) -> Iterator[Finding]:
    """What says to whoever asks whether it is for business or not: "for our company", 玩的."""
    u = reading.utterance
    if reading.asked != "license":
        return
    for category, commercial in (("own_hobby", False), ("own_business", True)):
        hit = next(iter(u.of_category(category)), None)
        if hit is not None:
            yield Finding("license", {"commercial": commercial ^ negated(u, hit)}, reading.use(hit))
            return


def _said_of_licenses(reading: Reading) -> Iterator[Finding]:
    yield from _named_licenses(reading)
    u = reading.utterance
    suggested = [
        h for h in u.of_category("license") if h.shaped and h.value in _SUGGESTED and reading.asked != "license"
    ]
    suggested = [h for h in suggested if not _is_part_of_a_no(reading, h)]
    for hit in sorted(suggested, key=lambda h: h.value == "noncommercial"):  # which is the more particular
        if not dropped(u, hit):
            words, commercial = reading.use(hit), hit.value == "commercial" and not negated_before(u, hit)
            rule = (
                say("“{words}” suggests commercial use", words=words)
                if commercial
                else say("“{words}” suggests that it is not commercial", words=words)
            )
            yield Finding("license", {"commercial": commercial}, words, reading.because(rule))
    for hit in (h for h in u.of_category("license") if h not in suggested and not _is_part_of_a_no(reading, h)):
        words, hard = reading.use(hit), not soft(u, hit.start)
        if dropped(u, hit) and not _unwanted(reading, hit):
            yield Finding("license", None, words)
        elif hit.value in ("redistribution", "derivative"):
            wanted = not negated(u, hit)
            if wanted or reading.requirements.constraint(CONSTRAINTS["license"]):
                yield Finding("license", {hit.value: wanted}, words, hard=hard)
        else:
            commercial = hit.value == "commercial"
            commercial ^= negated_before(u, hit)
            commercial ^= negated_after(u, hit) or _unwanted(reading, hit)
            yield Finding("license", {"commercial": commercial}, words, hard=hard)
    yield from _bare_research(reading)
    for hit in u.of_category("business"):
        if not negated(u, hit) and _says_more(reading, hit):
            words = reading.use(hit)
            rule = say("“{words}” suggests commercial use", words=words)
            yield Finding("license", {"commercial": True}, words, reading.because(rule))
            return


def _is_part_of_a_no(reading: Reading, hit: Hit) -> bool:
    """Whether "will ever pay for it" stands in "nobody will ever pay for it"."""
    noes = (h for h in reading.utterance.of_category("license") if h.shaped and h.value == "noncommercial")
    return hit.shaped and hit.value == "commercial" and any(h.start < hit.start and hit.end <= h.end for h in noes)


def _says_more(reading: Reading, hit: Hit) -> bool:
    """Whether more is said than who and where they are: 我们公司三百来号人 tells of no use."""
    u = reading.utterance
    wants = (h for h in u.of_category("task", "noun", "unit", "hosting", "free") if not reading.counted(h))
    return reading.asked is not None or hit.term not in _WHO_THEY_ARE or any(wants)


def _bare_research(reading: Reading) -> Iterator[Finding]:
    """The word research in a clause of its own says what it is for; elsewhere it may be what is searched."""
    u = reading.utterance
    for i, token in enumerate(u.tokens):
        alone = (j == i or u.lexicon.says_nothing(u.tokens[j]) for j, c in enumerate(u.clauses) if c == u.clauses[i])
        if token.text in _RESEARCH and all(alone):
            u.use(i, i + 1)
            yield Finding("license", {"commercial": False}, u.words(i, i + 1))
            return


def _unwanted(reading: Reading, hit: Hit) -> bool:
    """Whether the models of which this is said are refused: "不能商用的不要"."""
    u = reading.utterance
    if hit.value == "commercial" and not negated(u, hit):
        return False
    clause = u.clauses[hit.start]
    refusals = [h for c in (clause, clause + 1) for h in u.in_clause(c, "negation", "drop") if h.term in _UNWANTED]
    return any(0 <= r.start - hit.end <= 6 for r in refusals)


def _named_licenses(reading: Reading) -> Iterator[Finding]:
    """The licences accepted, and those refused."""
    u = reading.utterance
    hits = u.of_category("license_name")
    refused = _with_their_list(reading, hits, [h for h in hits if _refused(reading, h)])
    lists: list[list[Hit]] = []
    for hit in (h for h in hits if h not in refused):
        if lists and _joined(reading, lists[-1][-1], hit):
            lists[-1].append(hit)
        else:
            lists.append([hit])
    accepted = [h for names in lists if any(_means_license(reading, name) for name in names) for h in names]
    accepted = [h for h in accepted if h.value != "copyleft"]
    unwanted = [h for h in refused if h.value not in {a.value for a in accepted} and _names_one(reading, h)]
    if unwanted:
        said = [reading.use(h) for h in unwanted]
        clauses = {u.clauses[h.start] for h in unwanted}
        for hit in (h for h in u.hits if h.value == "license" or u.clauses[h.start] in clauses):
            if hit.category in ("noun", "forbidden", "acceptable"):
                reading.use(hit)
        for at, token in enumerate(u.tokens):  # "not allowed"
            if u.clauses[at] in clauses and token.text in u.lexicon.after_negation:
                u.use(at, at + 1)
        families = tuple(dict.fromkeys(_VERSION.sub("", h.value) for h in unwanted))
        yield Finding("license", {"refused": families}, said[0], hard=not soft(u, unwanted[0].start), merge="add")
    if not accepted:
        return
    words = [reading.use(h) for h in accepted]
    allowed = tuple(dict.fromkeys(h.value for h in accepted))
    nouns = [h for h in u.of_category("noun") if h.value == "license"]
    for hit in (*nouns, *(h for h in refused if h.value not in allowed)):
        reading.use(hit)
    value: dict[str, object] = {"allowed": allowed}
    if any("-nc" in name for name in allowed):
        value["commercial"] = False
    yield Finding("license", value, words[0], hard=not soft(u, accepted[0].start))


def _with_their_list(reading: Reading, hits: list[Hit], refused: list[Hit]) -> list[Hit]:
    """Those refused, with the names before them in the same list: "GPL, AGPL: won't touch them"."""
    for left, right in reversed(list(pairwise(hits))):
        if right in refused and left not in refused and _joined(reading, left, right):
            refused = [left, *refused]
    return refused


def _names_one(reading: Reading, hit: Hit) -> bool:
    """Whether a refused name is a licence's: "no Apache servers" refuses none."""
    return hit.term not in _AMBIGUOUS or _means_license(reading, hit)


def _refused(reading: Reading, hit: Hit) -> bool:
    u, clause = reading.utterance, reading.utterance.clauses[hit.start]
    after = u.in_clause(clause + 1, "forbidden")
    told_after = bool(after) and not u.in_clause(clause + 1, "license_name") and _alone(reading, clause)
    told_after = told_after and u.sentences[after[0].start] == u.sentences[hit.start]  # "GPL, AGPL: no go"
    return negated(u, hit) or dropped(u, hit) or bool(u.in_clause(clause, "forbidden")) or told_after


def _joined(reading: Reading, left: Hit, right: Hit) -> bool:
    between = reading.utterance.tokens[left.end : right.start]
    return bool(between) and all(t.text in reading.utterance.lexicon.list_joiners for t in between)


def _means_license(reading: Reading, hit: Hit) -> bool:
    """Whether a name is a demand: "Apache" is also a web server's name and "MIT" a university's.

    It is one beside the word licence or "only", as a full identifier ("Apache-2.0"), and where nothing else is said.
    """
    u = reading.utterance
    clause = u.clauses[hit.start]
    if hit.start and u.tokens[hit.start - 1].text in _WHEREABOUTS:
        return False
    if any(h.value == "license" and u.sentences[h.start] == u.sentences[hit.start] for h in u.of_category("noun")):
        return True
    insisting = u.in_clause(clause, "only", "hard")
    if any(0 <= hit.start - h.end <= 2 or 0 <= h.start - hit.end <= 1 for h in insisting):
        return True
    if u.in_clause(clause, "acceptable"):
        return False
    return hit.term not in _AMBIGUOUS or _alone(reading, clause) or _among_demands(reading, hit)


def _alone(reading: Reading, clause: int) -> bool:
    """Whether a clause has licences and nothing else to say."""
    u = reading.utterance
    return _says_only(reading, [i for i, c in enumerate(u.clauses) if c == clause], _AROUND_LICENSE)


def _says_only(reading: Reading, own: list[int], categories: frozenset[str]) -> bool:
    """Whether some tokens have nothing to say but terms of some categories."""
    u = reading.utterance
    said = [h for i in own for h in u.starting(i)]
    known = {i for h in said for i in range(h.start, h.end) if h.category in categories}
    covered = {i for h in said for i in range(h.start, h.end)}
    return all(i in known or (i not in covered and u.lexicon.says_nothing(u.tokens[i])) for i in own)


def _among_demands(reading: Reading, hit: Hit) -> bool:
    """Whether a name is one of several demands joined by "and": "half the storage and Apache and 20 ms"."""
    u = reading.utterance
    pieces = _joined_pieces(reading, u.clauses[hit.start])
    mine = next((piece for piece in pieces if hit.start in piece), [])
    others = [piece for piece in pieces if piece is not mine]
    supposed = any(u.sentences[h.start] == u.sentences[hit.start] for h in u.of_category("what_if"))
    known = {i for at in mine for h in u.starting(at) for i in range(h.start, h.end) if h.category in _AROUND_LICENSE}
    if not supposed and any(i not in known and u.tokens[i].text[0].isalnum() for i in mine):
        return False  # "we run Apache and ..." names a server
    plain = _says_only(reading, mine, _AROUND_LICENSE)
    return plain and bool(others) and all(_is_demand(reading, piece) for piece in others)


def _joined_pieces(reading: Reading, clause: int) -> list[list[int]]:
    """The tokens of a clause, parted where an "and" joins them."""
    u = reading.utterance
    pieces: list[list[int]] = [[]]
    for i in (i for i, c in enumerate(u.clauses) if c == clause):
        joins = u.tokens[i].text in u.lexicon.list_joiners and not u.starting(i)
        if joins or u.starting(i, "addition"):
            pieces.append([])
        else:
            pieces[-1].append(i)
    return [piece for piece in pieces if any(u.tokens[i].text[0].isalnum() for i in piece)]


def _is_demand(reading: Reading, piece: list[int]) -> bool:
    """Whether a piece of a clause is a demand of its own: an amount with its unit, a share, a language."""
    u = reading.utterance
    if read_relative(u.words(piece[0], piece[-1] + 1)):
        return True
    amounts = [q for q in reading.quantities if q.unit and piece[0] <= q.start and q.end <= piece[-1] + 1]
    counted = {i for q in amounts for i in range(q.start, q.end)}
    demands = [h for i in piece for h in u.starting(i) if h.category in _DEMANDS]
    rest = [i for i in piece if i not in counted]
    return bool(amounts or demands) and _says_only(reading, rest, _AROUND_LICENSE | _DEMANDS | {"noun", "limit_word"})


def read_hosting(reading: Reading) -> Iterator[Finding]:
    """Where the texts may go."""
    u = reading.utterance
    either = _either(reading)
    if either:
        yield Finding("hosting", None, either)
        return
    said = list(_said_of_hosting(reading))
    yield from sorted(said, key=lambda finding: finding.hard)  # what is said as a must outweighs what is a wish
    place = next((h for h in u.of_category("own_place") if not negated(u, h)), None)
    place = place or next(iter(u.of_category("refusal")), None)  # "our IT won't allow that"
    open_to_all = u.of_category("acceptable", "indifferent", "waived", "whatever")
    if not (said or open_to_all) and place is not None and reading.asked == "hosting":  # "at home, on my own box"
        yield _kept_inside(reading, reading.use(place))


def _said_of_hosting(reading: Reading) -> Iterator[Finding]:
    u = reading.utterance
    for hit in (h for h in u.of_category("hosting") if not _is_cut_out(reading, h)):
        words, hard = reading.use(hit), not soft(u, hit.start)
        mentioned = hit.value == "own_machine" and reading.asked != "hosting"
        if mentioned and (hit.shaped or not (dropped(u, hit) or negated(u, hit))):
            yield _kept_inside(reading, words, hard)
        elif dropped(u, hit) and not hit.shaped and hit.value == "api" and _stays(reading):
            continue  # 数据不能出内网，云服务就不用考虑了
        elif dropped(u, hit) or _accepted(reading, hit):
            yield Finding("hosting", None, words)
        elif not negated(u, hit):
            yield Finding("hosting", {"hosting": _PLACES.get(hit.value, hit.value)}, words, hard=hard)
        elif hit.value == "api":
            yield Finding("hosting", {"hosting": "self_hosted"}, words, hard=hard)
        else:
            rule = say("without “{words}”, it has to be a service", words=words)
            yield Finding("hosting", {"hosting": "api"}, words, reading.because(rule), hard=hard)
    for hit in u.of_category("outside"):
        if negated(u, hit):
            yield Finding("hosting", {"hosting": "self_hosted"}, reading.use(hit), hard=not soft(u, hit.start))
        elif _accepted(reading, hit):
            yield Finding("hosting", None, reading.use(hit))
        elif hit.term in ("api", "apis") and u.ending(hit.start - 1, "soft"):  # "we prefer an API"
            yield Finding("hosting", {"hosting": "api"}, reading.use(hit), hard=False)
    yield from _secluded(reading)


def _stays(reading: Reading) -> bool:
    """Whether it is said that nothing may leave."""
    return any(h.shaped and h.value == "self_hosted" for h in reading.utterance.of_category("hosting"))


def _is_cut_out(reading: Reading, hit: Hit) -> bool:
    """Whether a term that says otherwise reaches into it: the "hosted only" of "self-hosted only"."""
    terms = (h for h in reading.utterance.of_category("hosting") if not h.shaped and h.value != hit.value)
    return hit.shaped and hit.value == "api" and any(h.start < hit.start < h.end for h in terms)


def _either(reading: Reading) -> str:
    """What allows both: "cloud or own boxes", "our own card ..., but either is okay"; empty where nothing does."""
    u = reading.utterance
    offered = u.of_category("either_place")
    if offered:
        for said in u.of_category("hosting", "outside"):
            reading.use(said)
        return reading.use(offered[0])
    if reading.asked != "hosting":
        return ""
    spoken = [i for i, token in enumerate(u.tokens) if token.text[0].isalnum()]
    last = u.clauses[spoken[-1]] if spoken else -1
    hit = next((h for h in u.in_clause(last, "either") if not negated(u, h)), None)
    if hit is None or u.in_clause(last, "noun"):
        return ""
    for said in u.of_category("hosting", "outside", "leave", "secluded"):
        u.use(said.start, said.end)
    return reading.use(hit)


def _accepted(reading: Reading, hit: Hit) -> bool:
    """Whether a service is only allowed: "an API is fine"."""
    u = reading.utterance
    accepted = [h for h in u.in_clause(u.clauses[hit.start], "acceptable") if -6 <= h.start - hit.end <= 5]
    return _PLACES.get(hit.value, hit.value) != "self_hosted" and bool(accepted) and not negated(u, hit)


def _secluded(reading: Reading) -> Iterator[Finding]:
    """A network that texts do not leave."""
    u = reading.utterance
    for hit in u.of_category("secluded", "leave"):
        held = any(negated(u, h) or h.term.startswith("不") for h in u.in_clause(u.clauses[hit.start], "leave"))
        held |= hit.start > 0 and u.tokens[hit.start - 1].text in _OUT_OF and negated(u, hit)
        if held:  # "nothing may leave the building" says so itself
            yield Finding("hosting", {"hosting": "self_hosted"}, reading.use(hit))
        elif hit.category == "secluded" and not negated(u, hit):
            yield _kept_inside(reading, reading.use(hit))


def _kept_inside(reading: Reading, words: str, hard: bool = True) -> Finding:
    rule = say("“{words}” suggests that no text may be sent to a service", words=words)
    return Finding("hosting", {"hosting": "self_hosted"}, words, reading.because(rule), hard=hard)


def read_open_weights(reading: Reading) -> Iterator[Finding]:
    """Whether the weights must be published."""
    u = reading.utterance
    for hit in u.of_category("open_weights"):
        words = reading.use(hit)
        if dropped(u, hit) or negated(u, hit):
            yield Finding("open_weights", None, words)
        else:
            yield Finding("open_weights", {}, words, hard=not soft(u, hit.start))


def read_free(reading: Reading) -> Iterator[Finding]:
    """That nothing may be paid: "it shouldn't cost anything", "最好别花钱"."""
    u = reading.utterance
    for hit in u.of_category("free"):
        if not negated(u, hit) and not dropped(u, hit) and not u.in_clause(u.clauses[hit.start], "given_away"):
            yield Finding("cost", {"max_usd_per_month": 0.0}, reading.use(hit), hard=not soft(u, hit.start))
            return


def read_waived(reading: Reading) -> Iterator[Finding]:
    """What somebody says they can do without, in words that name it: "nobody is waiting for it", 可以随便切."""
    for hit in reading.utterance.of_category("waived"):
        if not negated(reading.utterance, hit):
            yield Finding(hit.value, None, reading.use(hit))


def read_withdrawals(reading: Reading) -> Iterator[Finding]:
    """Demands taken back by name: "forget the latency limit", "价格无所谓"."""
    u = reading.utterance
    for hit in u.of_category("noun"):
        known = hit.value in SLOTS or hit.value in CONSTRAINTS
        if known and dropped(u, hit) and not reading.counted(hit):
            yield Finding(hit.value, None, reading.use(hit))
            of_the_model = any(h.value == "parameters" for h in u.starting(hit.start, "noun"))
            if hit.value == "memory" and not of_the_model:  # the machine's, as it was understood where it was said
                yield Finding("hardware", None, reading.use(hit))
