"""The embedded servers of `orchestrate dev`, of the tests and of the benchmarks."""
