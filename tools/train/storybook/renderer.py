"""Renders one shot of a plan: frames, masks and sound. The ground truth that networks learn from and are judged against; rendering a film does not use it."""

import numpy as np

from storybook import facts, mixing, stage
from world import editions

WORLD = editions.world()
WIDTH, HEIGHT = WORLD["canvas"]


def phones(plan, shot_index):
    """[(phone, start_s, duration_s)] of a shot's line on the shot's clock, for the speaker's mouth."""
    return mixing.phones_of(facts.staged(plan, shot_index), 0)


def render_shot(plan, shot_index, seed, phones=None, frame_indices=None):
    """Renders the frames of a shot of a plan (docs/BUNDLE.md).

    seed: the film's seed; backdrops vary with it. phones: as `phones` returns them; None keeps the mouth closed. frame_indices: frames to render, default all.
    Returns (frames uint8 [n,HEIGHT,WIDTH,3] RGB, mask uint8 [n,HEIGHT,WIDTH], truth dict). Mask values: 0 backdrop, i + 1 entity i of the truth (the cast, then
    the props)."""
    return stage.render_shot(facts.staged(plan, shot_index), 0, seed, phones, frame_indices)


def render_sound(plan: dict, shot_index: int, seed: int) -> np.ndarray:
    """Renders the sound of a shot: float32 [round(shot_frames / fps * acoustics.SAMPLE_RATE)], mono, within ±1. Deterministic."""
    return mixing.render_sound(facts.staged(plan, shot_index), 0, seed)
