"""Forwards to world.editions for tools/goldens, which imports it by this name."""

from world.editions import *  # noqa: F403
