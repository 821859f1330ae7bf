"""Forwards to networks.planner_decode for tools/goldens, which imports it by this name."""

from networks.planner_decode import *  # noqa: F403
