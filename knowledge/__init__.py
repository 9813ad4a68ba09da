"""What is known: records, constraints, the catalog and its evidence. Imports no sibling package and no network."""

__version__ = "0.1.0"
