"""The nodes of the graph: each reads the state, does one thing, and returns what it changed."""

from agent.nodes.data import Data
from agent.nodes.load import Load
from agent.nodes.talk import Talk
from agent.nodes.work import Work


class Nodes(Talk, Data, Work, Load):
    """All nodes, with the context they share."""


__all__ = ["Nodes"]
