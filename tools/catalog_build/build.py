"""All files of a catalog, from rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from knowledge.manifest import Manifest
from tools.catalog_build.fits import build_fits
from tools.catalog_build.languages import build_languages
from tools.catalog_build.manifest import build_manifest
from tools.catalog_build.models import build_models
from tools.catalog_build.provenance import build_sources, copy_curated, date_sources
from tools.catalog_build.rows import Rows
from tools.catalog_build.scores import build_scores
from tools.catalog_build.tasks import build_tasks


def build(rows: Rows, out: Path, built: dt.datetime) -> Manifest:
    """Write every file of the catalog into `out`, the manifest last; the same rows and time give the same bytes.

    Raises:
        CatalogError: a row names what is no language.
    """
    copy_curated(out)
    if rows.fresh:
        date_sources(out, rows.mteb, rows.results, built.date())
    build_sources(out)
    build_models(rows.models, out)
    build_tasks(rows.tasks, out)
    build_languages([*rows.models, *rows.tasks], out)
    build_scores(rows, out / "scores.npz")
    build_fits(out)
    return build_manifest(out, built, rows.mteb, rows.results)
