"""The picture of a plan's shot, and its sizes: the world's ground truth for the eye. For training and judging alone; nothing here runs when a film is
rendered."""

import editions
from storybook import facts, mixing, stage

WORLD = editions.world()
WIDTH, HEIGHT = WORLD["canvas"]


def phones(plan, shot_index):
    """[(phone, start_s, duration_s)] of a shot's line on its clock, for the speaker's mouth."""
    return mixing.phones_of(facts.staged(plan, shot_index), 0)


def render_shot(plan, shot_index, seed, phones=None, frame_indices=None):
    """Renders a shot of a plan.

    plan: the JSON of docs/BUNDLE.md. seed: the film's seed (backdrops vary with it). phones: [(phone, start_s, duration_s)] of the
    shot's line. frame_indices: the frames wanted, all by default.
    Returns frames uint8 [n,HEIGHT,WIDTH,3] RGB, mask uint8 [n,HEIGHT,WIDTH] (0 backdrop, i + 1 entity i of the truth: the cast, then the props), truth dict."""
    return stage.render_shot(facts.staged(plan, shot_index), 0, seed, phones, frame_indices)
