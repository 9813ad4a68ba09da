"""A document as one HTML file that needs nothing else: no server, no other file, no network.

The plots are drawn here, as SVG. A plotting library in the page was 97 % of it (4.8 MB for a handful of points), too
much for many a mailbox, and drew nothing where scripts are off, or on paper.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tools.report.document import Document, anchor, mentions

if TYPE_CHECKING:
    from jinja2 import Template


def as_html(document: Document) -> str:
    """The document as HTML."""
    from markupsafe import Markup, escape

    def linked(text: str) -> Markup:
        """Escaped text, with the evidence ids in it as links."""
        if ids is None:
            return escape(text)
        link = Markup('<a class="cite" href="#{}">{}</a>')
        return Markup("").join(link.format(anchor(p), p) if i % 2 else escape(p) for i, p in enumerate(ids.split(text)))

    ids = mentions(document.evidence)
    script, style = _parts()
    return _template().render(
        document=document,
        linked=linked,
        # these two are files of this program; nothing from a report is in them
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=_policy(script, style),
    )


@cache
def _template() -> Template:
    """The page's template; to compile it takes longer than to fill it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("tools"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = anchor
    return environment.get_template("report.html.jinja")


@cache
def _parts() -> tuple[str, str]:
    """The page's script and style."""
    script, style = ((files("tools") / "templates" / name).read_text("utf-8") for name in ("report.js", "report.css"))
    return script, style


def _policy(script: str, style: str) -> str:
    """The Content-Security-Policy: this script and this style, and nothing else."""
    allowed = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (script, style))
    return (
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    ).format(*allowed)
