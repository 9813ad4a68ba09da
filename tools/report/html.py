"""A document as one HTML file that needs nothing else: no server, no other file, no network."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files
from typing import Any

from tools.report.document import Document
from tools.report.drawings import Axis, Scatter
from tools.report.markdown import anchor


def as_html(document: Document) -> str:
    """The document as HTML; the plot's script is in it once, and only if there is a plot."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup, escape

    def linked(text: str) -> Markup:
        """Escaped text, with the evidence ids in it as links."""
        if not ids:
            return escape(text)
        parts = re.split(rf"(?<!\w)({ids})(?!\w)", text)
        link = Markup('<a class="cite" href="#{}">{}</a>')
        return Markup("").join(link.format(anchor(p), p) if i % 2 else escape(p) for i, p in enumerate(parts))

    ids = "|".join(re.escape(id) for id in sorted(document.evidence, key=len, reverse=True))
    templates = files("tools") / "templates"
    script = (templates / "report.js").read_text("utf-8")
    plot = next((b.scatter for s in document.sections for b in s.blocks if hasattr(b, "scatter")), None)
    plotly = _plotly() if plot else ""
    environment = Environment(
        loader=PackageLoader("tools"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"linked": linked, "anchor": anchor}
    return environment.get_template("report.html.jinja").render(
        document=document,
        # these three are files of this program and of plotly's; nothing from a report is in them
        style=Markup((templates / "report.css").read_text("utf-8")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        plotly=Markup(plotly),  # noqa: S704
        plot=_for_plotly(plot) if plot else None,
        policy=_policy([script, plotly] if plot else [script]),
    )


def _plotly() -> str:
    """Plotly's script, as its Python package ships it."""
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    # "</script" would end the element early; in JavaScript strings and regular expressions "<\/script" is the same
    return re.sub(r"</(?=script)", r"<\\/", source, flags=re.IGNORECASE)


def _policy(scripts: list[str]) -> str:
    """The Content-Security-Policy: these scripts and nothing else; plotly puts its styles into the page."""
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _for_plotly(scatter: Scatter) -> dict[str, Any]:
    """What the page's script draws. Plotly reads tags in its texts, so names are escaped for it."""

    def axis(of: Axis) -> dict[str, Any]:
        return {
            "key": of.key,
            "title": html.escape(of.title),
            "range": [of.low, of.high],
            "values": [t.value for t in of.ticks],
            "labels": [t.label for t in of.ticks],
        }

    points = [
        {
            "number": p.number,
            "name": html.escape(p.name),
            "tone": p.tone,
            "group": html.escape(p.group),
            "y": p.y,
            "low": p.low,
            "high": p.high,
            "x": p.x,
            "labels": p.labels,
        }
        for p in scatter.points
    ]
    return {"y": axis(scatter.y), "axes": [axis(a) for a in scatter.axes], "points": points}
