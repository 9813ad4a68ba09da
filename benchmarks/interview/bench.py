"""How well the interview does with people who do not fill in forms: written personas, without a language model.

    python -m benchmarks.interview.bench > benchmarks/interview/result.txt
    python -m benchmarks.interview.bench --show en-terse-legal     # one conversation, line by line
    python -m benchmarks.interview.bench --phrases --show-wrong    # single messages instead of conversations

Each persona opens in its own words and answers what it is asked in its own words, until the list is there; nothing is
measured. Questions count all that is asked, the one for data included. The overlap is with the list that the persona's
full truth gives, what was never said included. A slot is right where the persona spoke of it (also to say that it does
not matter) and the requirements are what is true; invented are slots that were filled and truly are empty. Already
answered are questions for what had been said, put as if it had not been; confirmed are those that quote the words and
offer their right reading, so that a yes is enough. Both count among the questions.

With --phrases, single messages are read instead. Of those held out no text is ever printed, only the slots that went
wrong.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.advisor import Advisor
from agent.settings import Settings
from agent.understanding import RuleUnderstanding
from benchmarks.interview.driver import Talk, converse
from benchmarks.interview.personas import LANGUAGES, STYLES, personas
from benchmarks.interview.phrases import Phrase, Reading, phrases, read
from knowledge.requirements import Requirements

QUESTIONS, OVERLAP, SLOTS = 4, 4.0, 0.95


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="The interview with written personas.")
    parser.add_argument("--show", metavar="ID", nargs="*", help="print these conversations (none named: all tuned)")
    parser.add_argument("--phrases", action="store_true", help="read single messages instead")
    parser.add_argument("--show-wrong", action="store_true", help="with --phrases: print what was read wrong")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tuned", action="store_true", help="leave out those that are held out")
    which.add_argument("--held-out", action="store_true", help="only those that are held out")
    parser.add_argument("--round", type=int, metavar="N", help="only what was written in this round")
    options = parser.parse_args()
    wanted = {False} if options.tuned else {True} if options.held_out else {False, True}
    rounds = {options.round} if options.round else {p.round for p in (*personas(), *phrases())}
    if options.phrases:
        return read_phrases([p for p in phrases() if p.held_out in wanted and p.round in rounds], options.show_wrong)
    chosen = [p for p in personas() if p.held_out in wanted and p.round in rounds]
    if options.show:
        chosen = [p for p in chosen if p.id in options.show]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as home, Advisor(Settings(home=Path(home), offline=True)) as advisor:
        talks = [converse(advisor, persona) for persona in chosen]
    if options.show is not None:
        for talk in talks:
            show(talk)
    print(f"{len(talks)} personas, rules mode, {time.monotonic() - begun:.0f} s")
    print(HEADER)
    for name, part in parts(talks):
        if part:
            print(row(name, part))
    for title, held_out in (("tuned", False), ("held out", True)):
        print(f"\nwhat went wrong, {title}:")
        print("\n".join(faults(t) for t in talks if t.persona.held_out is held_out and faults(t)) or "nothing")
    return 0 if met(talks) else 1


HEADER = (
    f"{'':22}{'personas':>9}{'questions':>16}{'overlap':>16}{'slots right':>16}{'invented':>9}{'repeated':>9}"
    f"{'already':>9}{'asked to':>9}\n"
    f"{'':22}{'':>9}{'median':>10}{'worst':>6}{'mean':>10}{'median':>6}{'':>16}{'':>9}{'':>9}"
    f"{'answered':>9}{'confirm':>9}"
)


def parts(talks: Sequence[Talk]) -> list[tuple[str, list[Talk]]]:
    """The rows of the table."""
    rows = [("all", list(talks))]
    rows += [("tuned", [t for t in talks if not t.persona.held_out])]
    for written in sorted({t.persona.round for t in talks if t.persona.held_out}):
        mine = [t for t in talks if t.persona.held_out and t.persona.round == written]
        rows.append((f"held out, round {written}", mine))
    for style in STYLES:
        for language in LANGUAGES:
            mine = [t for t in talks if (t.persona.style, t.persona.language) == (style, language)]
            rows.append((f"{style}, {language}", mine))
    return rows


def row(name: str, talks: Sequence[Talk]) -> str:
    """One row."""
    questions = [len(t.asked) for t in talks]
    overlaps = [t.overlap for t in talks]
    right, all_slots = sum(len(t.right) for t in talks), sum(len(t.right) + len(t.wrong) for t in talks)
    return (
        f"{name:22}{len(talks):9}{statistics.median(questions):10.1f}{max(questions):6}"
        f"{statistics.mean(overlaps):10.2f}{statistics.median(overlaps):6.1f}"
        f"{f'{right}/{all_slots} {right / all_slots:.1%}':>16}{sum(len(t.invented) for t in talks):9}"
        f"{sum(len(t.repeated) for t in talks):9}{sum(len(t.already_said) for t in talks):9}"
        f"{sum(len(t.confirmed) for t in talks):9}"
    )


def faults(talk: Talk) -> str:
    """What went wrong in a conversation; empty where nothing did."""
    told = [f"{name}: {', '.join(_found(a, talk.requirements) for a in abouts)}" for name, abouts in _lists(talk)]
    if talk.overlap < min(OVERLAP, talk.places):
        told.append(f"overlap {talk.overlap} of {talk.places}")
    if talk.clash:
        told.append("ended in a clash of demands")
    return f"  {talk.persona.id}: {'; '.join(told)}" if told else ""


def _lists(talk: Talk) -> list[tuple[str, list[str]]]:
    found = {
        "wrong": talk.wrong,
        "invented": talk.invented,
        "asked again": talk.repeated,
        "asked what was said": talk.already_said,
        "asked to confirm": talk.confirmed,
    }
    return [(name, abouts) for name, abouts in found.items() if abouts]


def _found(about: str, requirements: Requirements) -> str:
    slot = getattr(requirements, about) if about in Requirements.model_fields else None
    value = next((c for c in requirements.constraints if c.kind == about), slot)
    return about if value is None else f"{about} ({value.origin}: {value.because[:60]!r})"


def met(talks: Sequence[Talk]) -> bool:
    """Whether the goals are met."""
    right, every = sum(len(t.right) for t in talks), sum(len(t.right) + len(t.wrong) for t in talks)
    return (
        statistics.median(len(t.asked) for t in talks) <= QUESTIONS
        and statistics.mean(t.overlap for t in talks) >= OVERLAP
        and right >= SLOTS * every
        and not any(t.repeated or t.already_said for t in talks)
    )


def read_phrases(chosen: Sequence[Phrase], show_wrong: bool) -> int:
    """Print how well single messages are read; 1 when too few slots are right."""
    understanding = RuleUnderstanding()
    readings = [read(phrase, understanding) for phrase in chosen]
    print(f"{'':22}{'phrases':>9}{'slots right':>18}{'invented':>10}")
    for language in LANGUAGES:
        mine = [r for r in readings if r.phrase.language == language]
        for held_out, written in sorted({_group(r.phrase) for r in mine}):
            part = [r for r in mine if _group(r.phrase) == (held_out, written)]
            right, every = sum(len(r.right) for r in part), sum(len(r.right) + len(r.wrong) for r in part)
            name = f"{language}, {f'held out, round {written}' if held_out else 'tuned'}"
            print(
                f"{name:22}{len(part):9}{f'{right}/{every} {right / max(every, 1):.1%}':>18}"
                f"{sum(len(r.invented) for r in part):10}"
            )
            if show_wrong:
                print(slot_counts(part) if held_out else misread(part))
    right, every = sum(len(r.right) for r in readings), sum(len(r.right) + len(r.wrong) for r in readings)
    return 0 if right >= SLOTS * every else 1


def _group(phrase: Phrase) -> tuple[bool, int]:
    """The row that a phrase counts in: of those held out, each round has its own."""
    return phrase.held_out, phrase.round if phrase.held_out else 0


def misread(readings: Sequence[Reading]) -> str:
    """Each phrase in which something went wrong, with what was made of it."""
    lines = []
    for reading in readings:
        faults = {"wrong": reading.wrong, "invented": reading.invented}
        said = "; ".join(f"{name}: {', '.join(abouts)}" for name, abouts in faults.items() if abouts)
        if said:
            asked = f" [asked: {reading.phrase.asked}]" if reading.phrase.asked else ""
            lines.append(f"  {reading.phrase.text!r}{asked}  {said}\n      found: {told(reading.found) or 'nothing'}")
    return "\n".join(lines)


def slot_counts(readings: Sequence[Reading]) -> str:
    """How often each slot went wrong, without the phrases."""
    wrong = Counter(about for r in readings for about in r.wrong)
    made_up = Counter(about for r in readings for about in r.invented)
    said = Counter(about for r in readings for about in (*r.right, *r.wrong))
    return "\n".join(
        f"  {about:20} wrong {wrong[about]} of {said[about]}, invented {made_up[about]}"
        for about in sorted({*wrong, *made_up})
    )


def show(talk: Talk) -> None:
    """A conversation, line by line."""
    print(f"\n=== {talk.persona.id}")
    for who, what in talk.turns:
        print(f"{who:>7}: {what}")
    print(f"  truth: {told(talk.persona.truth)}\n  found: {told(talk.requirements)}")


def told(requirements: Requirements) -> str:
    """Requirements on a line."""
    named = [n for n in Requirements.model_fields if n not in ("version", "summary", "constraints")]
    known = [(name, slot) for name in named if (slot := getattr(requirements, name)) and slot.origin != "assumed"]
    slots = [f"{name}={slot.value}" for name, slot in known]
    demands = [
        f"{c.kind}{c.model_dump(exclude={'kind', 'because', 'origin'}, exclude_defaults=True)}"
        for c in requirements.constraints
    ]
    return " ".join(slots + demands)


if __name__ == "__main__":
    raise SystemExit(main())
