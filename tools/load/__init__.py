"""Load tests: what a target holds, in an open loop and a closed one."""

from knowledge.results.load import Goal, Limits, LoadPoint, LoadTest
from tools.load.sweep import run_load
from tools.load.target import RequestFailed, Target

__all__ = ["Goal", "Limits", "LoadPoint", "LoadTest", "RequestFailed", "Target", "run_load"]
