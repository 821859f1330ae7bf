"""Forwards to prompts.tokens for tools/goldens, which imports it by this name."""

from prompts.tokens import *  # noqa: F403
