"""The pipeline that is deployed: ingest documents, search them, as a candidate was measured.

It is copied as it is into every deployment (`tools.deployment`), so it imports nothing else of this project, and all
that differs between deployments stands in their ``config.yaml``. What of it decides rankings (words, chunks, forms of
vectors, fusion) is what the evaluation runs too: what is deployed is what was measured.
"""
