"""What fxloom takes, against the script that one would write otherwise: ``python -m benchmarks``."""
