"""How long fxloom takes, against the script one would write instead: ``python -m benchmarks``."""
