"""The four networks: their training data, training loops and sampling."""
