"""Do candidates find what is true? Labelled contrast sets, beside the probes that are made of the same kind of text.

    python benchmarks/correctness/bench.py [FOLDER] > benchmarks/correctness/result.txt

FOLDER holds the sets (default: ../shared/data). SemAntoNeg: of three sentences the one that means the same as the
query; only these three are compared. SciFact's stances: whether a claim scores an abstract that supports it above those
that contradict theirs (area under the curve over all such pairs; chance is one half).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from knowledge.candidate import parse_candidate
from knowledge.results import Consent
from tools.datasets import read_dataset
from tools.evaluate.ranking import Job, Texts, rank_others
from tools.hard_cases import ask_contrasts, contrasts_of, make_hard_cases
from tools.hard_cases.asking import probe_texts
from tools.hard_cases.contrast import BLOCK
from tools.hard_cases.outcomes import right_in
from tools.probes import Probe
from tools.statistics import bootstrap_interval, wilson_interval
from tools.workspace import Workspace

SPECS = ("bm25", "static:wordllama", "st:sentence-transformers/all-MiniLM-L6-v2")


def main(folder: Path) -> int:
    """Run it and print."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(home=Path(home))
        semantoneg(folder / "semantoneg", workspace)
        stances(folder / "scifact", workspace)
        probes(folder, workspace)
    return 0


def semantoneg(folder: Path, workspace: Workspace) -> None:
    """Pairs, and whole queries: right where the one that means the same stands before both others."""
    found = contrasts_of(read_dataset(folder), "negation")
    scored = ask_contrasts(found, SPECS, workspace, consent=Consent())
    print(f"SemAntoNeg: {len(found.probes)} pairs of a right and a wrong sentence; chance 50 %")
    for score in scored.kinds[0].scores:
        accuracy = score.accuracy
        print(f"  {score.spec:48} {accuracy.mean:6.1%} [{accuracy.low:.1%}, {accuracy.high:.1%}], {score.ties} ties")
    print(f"  {scored.seconds:.0f} s for all three")
    queries: dict[str, list[Probe]] = defaultdict(list)
    for probe in found.probes:
        queries[probe.query].append(probe)
    print(f"whole queries ({len(queries)} different ones): right before every wrong one; chance about 1 in 3")
    blocks = [found.probes[start : start + BLOCK] for start in range(0, len(found.probes), BLOCK)]
    candidates = {spec: parse_candidate(spec) for spec in SPECS}
    jobs = {str(number): Job(candidates, probe_texts(block)) for number, block in enumerate(blocks)}
    right: dict[str, dict[str, float]] = {spec: {} for spec in SPECS}
    for number, spec, rankings in rank_others(jobs, workspace, Consent()):
        right[spec] |= right_in(blocks[int(number)], rankings)  # type: ignore[arg-type]
    for spec, of_pairs in right.items():
        whole = [all(of_pairs[p.id] == 1 for p in of) for of in queries.values()]
        of_all = wilson_interval(sum(whole), len(whole))
        print(f"  {spec:48} {of_all.mean:6.1%} [{of_all.low:.1%}, {of_all.high:.1%}]")


def stances(folder: Path, workspace: Workspace) -> None:
    """SciFact: does the score tell what supports a claim from what contradicts it?"""
    dataset = read_dataset(folder)
    with (folder / "stance.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["stance"] in ("SUPPORT", "CONTRADICT")]
    documents = {row["doc-id"]: dataset.documents[row["doc-id"]] for row in rows}
    queries = {row["query-id"]: dataset.queries[row["query-id"]] for row in rows}
    job = Job({spec: parse_candidate(spec) for spec in SPECS}, Texts(documents, queries, len(documents)))
    print(
        f"\nSciFact's stances: {sum(r['stance'] == 'SUPPORT' for r in rows)} abstracts that support their claim, ",
        end="",
    )
    print(f"{sum(r['stance'] == 'CONTRADICT' for r in rows)} that contradict it; chance 50 %")
    for _, spec, rankings in rank_others({"stances": job}, workspace, Consent()):
        scores: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            found = dict(rankings[row["query-id"]])  # type: ignore[index]
            scores[row["stance"]].append(found.get(row["doc-id"], -np.inf))
        supports, contradicts = (np.array(scores[stance]) for stance in ("SUPPORT", "CONTRADICT"))
        higher = (supports[:, None] > contradicts).mean(axis=1) + 0.5 * (supports[:, None] == contradicts).mean(axis=1)
        area = bootstrap_interval(higher)
        print(f"  {spec:48} {area.mean:6.1%} [{area.low:.1%}, {area.high:.1%}]")


def probes(folder: Path, workspace: Workspace) -> None:
    """Probes made of documents: as many as there are of each kind, whatever they cost."""
    for name in ("scifact", "cmrc2018_zh"):
        dataset = read_dataset(folder / name)
        cases = make_hard_cases(dataset, ("probes",))
        job = Job({spec: parse_candidate(spec) for spec in SPECS}, probe_texts(cases.probes))
        print(f"\n{name}: {len(cases.probes)} probes made of its passages; chance 50 %")
        kinds = list(dict.fromkeys(probe.kind for probe in cases.probes))
        print(f"  {'':48} " + " ".join(f"{kind:>10}" for kind in kinds) + "   reworded  verbatim")
        for _, spec, rankings in rank_others({"probes": job}, workspace, Consent()):
            right = right_in(cases.probes, rankings)  # type: ignore[arg-type]
            shares = [np.mean([right[p.id] for p in cases.probes if p.kind == kind]) for kind in kinds]
            by_wording = [
                np.mean([right[p.id] for p in cases.probes if p.reworded == other]) for other in (True, False)
            ]
            print(
                f"  {spec:48} "
                + " ".join(f"{s:10.1%}" for s in shares)
                + f"   {by_wording[0]:8.1%}  {by_wording[1]:8.1%}"
            )


if __name__ == "__main__":
    default = Path(__file__).parents[3] / "shared" / "data"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default))
