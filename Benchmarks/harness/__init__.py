"""What the benchmarks share: programs with their CPU time and memory, peers, loads, tables."""
