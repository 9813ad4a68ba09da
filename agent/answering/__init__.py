"""Answers to follow-up questions, one kind a module; every figure is one that was found, measured or published."""
