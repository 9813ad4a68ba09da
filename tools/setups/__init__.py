"""Set-ups of one encoder's vectors: their length, how they are stored, searched in one stage or two, by which index.

Whatever a leg asks of these, its encoder reads every text once: set-ups are made from finished vectors.
"""

from tools.pipeline.forms import Store
from tools.setups.options import OPTIONS, Index, K, Setup, dimension_of, setup_of

__all__ = ["OPTIONS", "Index", "K", "Setup", "Store", "dimension_of", "setup_of"]
