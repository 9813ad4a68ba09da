"""What goes wrong in a way that was foreseen."""


class PipelineError(Exception):
    """Says what is wrong, and what to do about it."""
