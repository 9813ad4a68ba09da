"""What the command line's terminal does when its reader is gone."""

import io

import pytest

from app.cli.terminal import console


class Closed(io.StringIO):
    """A pipe whose reader has seen enough."""

    def write(self, text):
        raise BrokenPipeError


def test_a_table_whose_reader_is_gone_ends_as_a_closed_pipe_and_not_as_a_bug():
    with pytest.raises(BrokenPipeError):
        console(Closed()).print("one line of many")
