"""Data sets from the store: the feature matrix, its provenance, and which of its columns are redundant."""
