"""Builds the catalog that is shipped in ``knowledge/data`` from tables of what MTEB publishes."""
