"""Tools around the hotline: demo, checks, drawings, benchmarks."""
