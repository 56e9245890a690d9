"""Benchmarks: bounded, on loopback, never part of the tests. Each prints the machine and p50/p95/p99."""
