"""Forwards to prompts.grammar_prompts for tools/goldens, which imports it by this name."""

from prompts.grammar_prompts import *  # noqa: F403
