"""What is known: records, constraints, the catalog and its evidence. Imports no sibling package and no network."""
