"""Benchmarks of fxloom against the scripts one would write instead: ``python -m benchmarks``."""
