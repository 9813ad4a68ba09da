"""Answers worded by a language model, from what our own tools answer, and shown only once every word is checked."""
