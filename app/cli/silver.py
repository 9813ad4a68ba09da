"""`advisor silver`: queries made from the documents, written into files to look at, to edit and to measure with."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.query_writer import QueryWriter, query_writer, sending
from agent.settings import Settings
from app.cli.printed import print_json
from app.cli.records import SilverMade
from app.cli.terminal import ProgressLine, language, shown
from app.wording import as_text, dataset_lines
from knowledge.dataset import Dataset
from knowledge.errors import ConsentNeeded
from knowledge.wording import how_to, say
from tools.data_source import DataSource
from tools.datasets import save_dataset
from tools.silver import silver_set
from tools.silver.from_model import written_set

#: queries shown on the terminal
SHOWN = 5


def make(
    settings: Settings,
    source: DataSource,
    out: Path,
    most: int,
    seed: int,
    hosts: frozenset[str],
    *,
    written: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make the set, write it and say what it is like.

    Raises:
        NoSilverError: none can be made of this data.
        ConsentNeeded: a language model is to write them, and nobody agreed that its host sees the passages.
        DatasetError: the folder already holds something.
    """
    line = ProgressLine(quiet)
    dataset = source.read()
    if written:
        writer = query_writer(settings)
        _agreed(writer, dataset, most, seed, hosts)
        made = written_set(
            dataset,
            writer.write,
            settings.workspace(),
            model=writer.model,
            most=most,
            seed=seed,
            on_progress=line.show,
        )
        line.end()
    else:
        made = silver_set(dataset, most=most, seed=seed)
    save_dataset(made, out)
    if as_json:
        print_json(SilverMade(folder=str(out), dataset=made.summary))
        return
    sys.stdout.write(as_text(dataset_lines(made.summary, language())) + "\n")
    for query in list(made.queries)[:SHOWN]:
        (answer,) = made.judgments[query]
        sys.stdout.write(f"  {shown(say('“{query}” → {document}', query=made.queries[query], document=answer))}\n")
    told = (
        say("Written to {folder}. Look at queries.jsonl and qrels.tsv, and edit them.", folder=str(out)),
        say("Measure with it: {command}", command=f"advisor evaluate --data {out} -c bm25 -c …"),
    )
    sys.stdout.write("".join(f"{shown(text)}\n" for text in told))


def _agreed(writer: QueryWriter, dataset: Dataset, most: int, seed: int, hosts: frozenset[str]) -> None:
    if writer.host in hosts:
        return
    raise ConsentNeeded(
        sending(writer, dataset, most, seed),
        how_to("send_to", host=writer.host),
    )
