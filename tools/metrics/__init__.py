"""Metrics that ir-measures lacks, one a file; everything else is ir-measures'."""
