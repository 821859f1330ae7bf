"""What the world is: its list and editions, its voices, and the signal processing that its sounds are made with."""
