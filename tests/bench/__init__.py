"""The project's benchmarks: `python -m tests.bench [NAME ...]`, or `make bench [ONLY=NAME]`."""
