"""Forwards to networks.layout for tools/goldens, which imports it by this name."""

from networks.layout import *  # noqa: F403
