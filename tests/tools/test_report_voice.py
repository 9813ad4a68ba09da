"""The names that a report has for candidates."""

import importlib.util
from pathlib import Path

from knowledge.wording import Text
from tools.report.voice import Voice

_SPEC = importlib.util.spec_from_file_location("report_fixture", Path(__file__).with_name("report_fixture.py"))
fixture = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fixture)


def test_a_longer_spec_keeps_its_form_where_it_begins_with_one_that_has_a_name():
    """A mixture of both is no candidate that anybody could type."""
    voice = Voice(fixture.make_report(), "en")
    spec, name = next((s, n) for s, n in voice.names.items() if "?" in s)
    assert voice.t(Text(template=f"Take {spec}.")) == f"Take {name}."
    longer = f"{spec}&store=int8"
    assert voice.t(Text(template=f"Take {longer}.")) == f"Take {longer}."
