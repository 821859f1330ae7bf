"""Invariants of drawn films: no held-out pair in training, same arguments give the same bytes, and the truth matches pictures and sound."""

import collections

import numpy as np

from storybook import actions, foley, mixing, music, sprites, stage, stories, things, tracks
from world import acoustics, editions


def run(count, stream, first):
    """Checks `count` films of the numpy streams [stream, seed] from seed `first` on; raises AssertionError."""
    world = editions.world("full")
    seen, shots, unseen = collections.Counter(), 0, 0
    for seed in range(first, first + count):
        prompt, plan = stories.sample_plan(np.random.default_rng([stream, seed]))
        bad = stories.held_out_in(plan)
        assert not bad, f"seed {seed}: held-out pairs in training: {bad}"
        again = stories.sample_plan(np.random.default_rng([stream, seed]))
        assert again == (prompt, plan), f"seed {seed}: drawn twice, not the same"
        seen.update(stories.pairs_of(plan))
        shots += len(plan["shots"])
        for shot in plan["shots"]:
            assert len(shot["action_beats"]) <= 3 and all(e["description"] in world["sounds"] for e in shot.get("sfx", []))
            for line in shot["dialogue"]:
                assert shot["start_ms"] <= line["start_ms"] < line["end_ms"] <= shot["start_ms"] + shot["duration_ms"]
    for seed in range(first, first + max(3, count // 20)):
        plan = stories.sample_plan(np.random.default_rng([stream, world["holdouts"]["seeds_from"] + seed]), "held_out")[1]
        assert stories.held_out_in(plan), "an evaluation plan without a held-out pair"
        unseen += len(stories.held_out_in(plan))
    kinds = collections.Counter(kind for kind, _, _ in seen)
    print(f"{count} films, {shots} shots: 0 held-out pairs; distinct pairs seen: {dict(kinds)}; "
          f"evaluation plans hold {unseen} held-out pairs in {max(3, count // 20)}")
    names()
    impacts()
    for seed in range(first, first + min(6, count)):
        truth(seed, stream)


def names():
    """The code and world.json have the same names."""
    world = editions.world("full")
    assert {a["id"] for a in world["actions"]} == set(actions.ACTIONS)
    assert set(world["sounds"]) == set(foley.EVENTS) and set(world["ambiences"]) == set(foley.BEDS) and set(world["music"]) == {"none", *music.MOODS}
    for action in world["actions"]:
        assert action["sounds"] == engine_sounds(action["id"]) or action["id"] in editions.whole()["editions"]["nano"]["actions"], action["id"]
    print("world.json and code name the same actions, sounds, beds and music; the sounds of actions follow from their physics")


def impacts():
    """At the time of a landing sound the thing is on the ground, and just before that it was in the air."""
    count = 0
    for gravity in (1.0, 0.25, 0.3):
        for name in ("jumps", "falls", "bounces"):
            c = actions.Setting(sign=1.0, x=2.0, low=0.5, high=4.5, duration=14.0, gravity=gravity)
            at = np.array([s for s, sound, _ in actions.ACTIONS[name](np.zeros(1), c).sounds if sound in ("thump", "boing") and s > 0.3])
            on, before = (actions.ACTIONS[name](at - early, c).lift for early in (0.0, 0.04))
            assert (on < 0.02).all() and (before > on + 0.01).all(), (name, gravity)
            count += len(at)
        for prop in (p for p in sprites.PROPS.values() if {"bounces", "falls"} & set(p["states"])):
            for state in {"bounces", "falls"} & set(prop["states"]):
                def move(t):
                    return things.move(prop, state, t, 100.0, 14, 210, 1.0, gravity, 3.0, 14.0, 20.0)
                at = np.array([s for s, _, _ in move(np.zeros(1)).sounds])
                on, before = move(at).lift, move(at - 0.02).lift
                assert (on < 0.5).all() and (before > on + 0.2).all(), (prop["id"], state, gravity)
                count += len(at)
    print(f"{count} impacts are heard when they are seen")


def engine_sounds(action):
    """An action's sounds on earth as world.json lists them, starting on the left and facing right: [{sound, at_ms}]."""
    height, duration = tracks.TALL, editions.world("full")["shot_frames"][0] / tracks.FPS
    c = actions.Setting(sign=1.0, x=49 / height, low=0.45, high=tracks.WIDTH / height - 0.45, duration=duration, entrance=152 / height, leave=152 / height,
                        partner=175 / height)
    t = np.arange(round(duration * tracks.FPS)) / tracks.FPS
    times = {}
    for s, name, _ in sorted(actions.ACTIONS[action](t, c).sounds):
        if s < duration:
            times.setdefault(name, []).append(int(1000 * s + 0.5))
    return [{"sound": name, "at_ms": at} for name, at in times.items()]


def truth(seed, stream):
    """Rendering twice gives the same bytes, boxes contain what the mask marks, and events are audible."""
    plan = stories.sample_film(np.random.default_rng([stream, seed]), shots=1)
    frames, masks, t = stage.render_shot(plan, 0, seed)
    again = stage.render_shot(plan, 0, seed, frame_indices=[3, 40])
    assert np.array_equal(again[0], frames[[3, 40]]) and np.array_equal(again[1], masks[[3, 40]])
    wave = mixing.render_sound(plan, 0, seed)
    assert np.array_equal(wave, mixing.render_sound(plan, 0,
                                                    seed)) and np.isfinite(wave).all() and len(wave) == round(len(frames) / tracks.FPS * acoustics.SAMPLE_RATE)
    for n in range(len(frames)):
        for i, box in enumerate(t["boxes"][n]):
            y, x = np.nonzero(masks[n] == i + 1)
            if len(y):
                assert box and box[0] <= x.min() and x.max() < box[2] and box[1] <= y.min() and y.max() < box[3], (seed, n, i)
    parts = mixing.stems(plan, 0, seed)
    for event in t["events"]:
        a = round(event["s"] * acoustics.SAMPLE_RATE)
        assert np.abs(parts["foley"][a:a + 3200]).max(initial=1) > 1e-3, event
