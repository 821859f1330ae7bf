"""The sound of a plan's shot, made in step with it: the world's ground truth for the ear, and what the audio parts of the model learn from."""

import numpy as np

from storybook import facts, mixing


def render_sound(plan: dict, shot_index: int, seed: int) -> np.ndarray:
    """Samples of one shot: float32 [round(shot_frames / fps * acoustics.SAMPLE_RATE)], mono, within ±1. The same arguments give the same samples."""
    return mixing.render_sound(facts.staged(plan, shot_index), 0, seed)
