"""``fits.npz``: the score matrix fitted to every kind of task that users ask about, so that nobody waits for it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from knowledge.catalog import Catalog
from knowledge.columns import usable_columns
from knowledge.evidence import fitted_kinds
from knowledge.likeness import likeness
from knowledge.outlook import FITS, PARTS, digest, fitted
from knowledge.scores import Floats, load_scores

#: digits kept: machines differ in the last ones, and the same rows are to give the same bytes
_DIGITS = 5


def build_fits(out: Path) -> None:
    """Write the fits of the score matrix that is in the folder already."""
    load_scores.cache_clear()  # the file may have been written over one that was read before
    scores, cards = load_scores(out / "scores.npz"), Catalog(out).cards
    fits = {}
    for types, modalities in fitted_kinds():
        columns = usable_columns(scores, cards, types, modalities)
        like = likeness(scores, columns)
        fits[digest(columns, like)] = fitted(columns, like)
    _write(out / FITS, fits)


def _write(path: Path, fits: dict[str, dict[str, Floats]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(fits):
            for part in PARTS:
                buffer = io.BytesIO()
                rounded = np.round(fits[name][part], _DIGITS).astype(np.float32) + np.float32(0)
                np.save(buffer, rounded, allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}-{part}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)
