"""Short notes of our own on choosing, measuring and running embeddings, in English and Chinese."""

from knowledge.guidance.notes import Figure, Note, Source, load_notes, numbers, parse_notes

__all__ = ["Figure", "Note", "Source", "load_notes", "numbers", "parse_notes"]
