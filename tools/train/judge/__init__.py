"""Measuring: judges trained on rendered truth, reports on films and plans, benchmarks."""
