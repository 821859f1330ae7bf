"""A shot of a plan as moving things: where every actor and prop is in every frame, how it looks, and which sounds occur when.

Reads these optional fields of a plan: places[].weather; props[] with their states; facts in world[] and effects[] (a prop's place, holder, state, position
and tint, a character's mood); cast[].depth; dialogue[].mode; sound.music.
"""

import dataclasses
import math

import numpy as np

from storybook import actions, sprites, things
from world import editions

WORLD = editions.world("full")
FPS = WORLD["fps"]
WIDTH, HEIGHT = 224, 128  # the canvas in units
GROUND = 103
TALL = 46.0  # units of an actor of size 1
MARKS = {"left": 0.22, "center": 0.5, "right": 0.78}
SPREAD = {"wide": 1.0, "medium": 0.84, "close": 0.66}  # marks move closer together when the camera is near
ZOOM = {"wide": 1.0, "medium": 1.3, "close": 1.75}
FEET = {"wide": 103, "medium": 110, "close": 118}  # screen line of the feet
DEPTHS = {"background": (0.8, 97), "midground": (1.0, 103), "foreground": (1.16, 111)}  # size factor, y of the feet
WIND = {"clear": 3.0, "rain": 12.0, "snow": 7.0, "fog": 1.0, "storm": 48.0}  # units/s, to the right
PLACES = {p["id"]: p for p in WORLD["places"]}
BEAT_OF_NONE = "stands"


@dataclasses.dataclass
class Track:
    """An actor or prop over the frames of a shot, in units. x and y: where its feet would touch the ground; lift: above it; height: of its picture."""
    id: str
    kind: str  # "actor" or "prop"
    who: str  # entry of world.json
    height: float
    y: float
    motion: actions.Motion
    tint: str = "natural"
    mood: list = dataclasses.field(default_factory=list)  # per frame
    mouth: np.ndarray | None = None  # 0 … 3 by frame
    held: np.ndarray | None = None  # props: whether someone holds it, per frame
    moves: list = dataclasses.field(default_factory=list)  # (start s, what)


def facts_before(plan, index):
    """Facts at the start of a shot: {(entity, attribute): value}."""
    known = {(f["entity"], f["attribute"]): f["value"] for f in plan.get("world", [])}
    for shot in plan["shots"][:index]:
        known.update({(f["entity"], f["attribute"]): f["value"] for f in shot.get("effects", [])})
    return known


def place_of(plan, shot):
    """The plan's entry of a shot's place."""
    return next(p for p in plan["places"] if p["id"] == shot["place"])


def frame_count(shot):
    """Number of frames of a shot at the model's rate, at most what the model generates."""
    return min(WORLD["shot_frames"][0], max(1, round(shot["duration_ms"] * FPS / 1000)))


def heading(facing):
    """+1 for right, -1 for left."""
    return 1.0 if facing == "right" else -1.0


def tallness(kind, who, scale=1.0):
    """Height in units of an actor's or prop's picture."""
    size = (sprites.ACTORS if kind == "actor" else sprites.PROPS)[who]["size"]
    return TALL * size * scale * sprites.aspect(kind, who)[1]


def zoom_of(shot, tallest):
    """Zoom for the shot's size, limited so that the tallest of the cast (`tallest` units) is not cut."""
    size = shot["camera"]["size"]
    return max(1.0, min(ZOOM[size], (FEET[size] - 10) / max(tallest * nearest(shot), 1)))


def nearest(shot):
    """The largest zoom of the camera's move, relative to the zoom of its size."""
    return (1.26 if shot["camera"]["size"] == "wide" else 1.18) if shot["camera"]["move"] in ("push_in", "pull_out") else 1.0


def room_of(shot, member, facts):
    """The space that an actor needs, in its own heights: more if it grows or holds something over its head."""
    grown = 1.3 if any(b["who"] == member["id"] and b["what"] == "grows" for b in shot["action_beats"]) else 1.0
    holders = [v for (_, attribute), v in facts.items() if attribute == "holder"] + [f["value"] for f in shot.get("effects", []) if f["attribute"] == "holder"]
    return grown + (0.4 if member["id"] in holders else 0)


def mouths(shot, actor_id, t, phones):
    """How open an actor's mouth is in each frame: int [frames], 0 … 3. Follows the phones [(phone, start s, duration s)] if they are given, else opens and
    shuts evenly."""
    open_at = np.zeros(len(t), int)
    for line in shot["dialogue"]:
        if line["speaker"] != actor_id or line["mode"] == "voiceover":
            continue
        begin, end = (line["start_ms"] - shot["start_ms"]) / 1000, (line["end_ms"] - shot["start_ms"]) / 1000
        if phones:
            for phone, start, duration in phones:
                if begin - 0.02 <= start < end:
                    open_at[(t >= start) & (t < start + duration)] = OPEN.get(phone, 0)
        else:
            inside = (t >= begin) & (t < end)
            open_at = np.where(inside, np.round(3 * np.abs(np.sin(np.pi * (t - begin) / 0.18))).astype(int), open_at)
    return open_at


OPEN = {"aa": 3, "ae": 3, "ah": 2, "ao": 3, "aw": 3, "ay": 3, "eh": 2, "er": 2, "ey": 2, "ih": 1, "iy": 1, "ow": 3, "oy": 3, "uh": 2, "uw": 2, "ax": 1, "l": 1,
        "r": 1,
        "w": 1, "y": 1, "n": 1, "ng": 1, "s": 1, "z": 1, "sh": 1, "ch": 1, "jh": 1, "th": 1, "dh": 1, "d": 1, "t": 1, "g": 1, "k": 1, "hh": 1}


def marks(shot):
    """x of each member of the cast, in units; two at one mark are side by side."""
    spread, taken, result = SPREAD[shot["camera"]["size"]], {}, []
    for member in shot["cast"]:
        x = MARKS[member["position"]]
        count = taken.get((member["position"], member.get("depth")), 0)
        taken[(member["position"], member.get("depth"))] = count + 1
        result.append(WIDTH * (0.5 + (x + 0.15 * count - 0.5) * spread))
    return result


def actor_motion(shot, member, x, height, t, setting):
    """(motion in units, [(start, action)]) of one actor's consecutive beats. x: starting position in units; height: of the actor; setting: the same for all its
    actions."""
    duration = shot["duration_ms"] / 1000
    beats = [(b["at_ms"] / 1000, b["what"]) for b in shot["action_beats"] if b["who"] == member["id"]]
    beats.sort(key=lambda b: b[0])
    if not beats or beats[0][0] > 0:
        beats.insert(0, (0.0, BEAT_OF_NONE))
    whole, at = None, x / height
    for i, (start, what) in enumerate(beats):
        end = beats[i + 1][0] if i + 1 < len(beats) else duration
        c = dataclasses.replace(setting, x=at, duration=end - start)
        local = np.maximum(t - start, 0)
        m = actions.ACTIONS[what](local, c)
        m.sounds = [(start + s, name, gain) for s, name, gain in m.sounds if s < end - start]
        inside = t >= start
        if whole is None:
            whole = m
        else:
            for field in ("x", "lift", "sx", "sy", "lean", "face", "pose", "scale", "shut"):
                setattr(whole, field, np.where(inside, getattr(m, field), getattr(whole, field)))
            whole.sounds = [s for s in whole.sounds if s[0] < start] + m.sounds
        last = actions.ACTIONS[what](np.array([end - start]), c)
        at = float(np.clip(last.x[0], c.low - 3, c.high + 3))
        setting = dataclasses.replace(setting, sign=float(last.face[0]) if what != "spins" else setting.sign)
    whole.x, whole.lift = whole.x * height, whole.lift * height
    return whole, beats


def partner_of(shot, index):
    """Index of an actor's partner: the receiver of a thing, else the next of the cast."""
    others = [i for i in range(len(shot["cast"])) if i != index]
    getter = {f["value"] for f in shot.get("effects", []) if f["attribute"] == "holder"}
    return next((i for i in others if shot["cast"][i]["id"] in getter), others[0] if others else None)


def follow(chaser, target, t):
    """Makes a chaser run where its prey was 0.45 s before."""
    behind = np.interp(t - 0.45, t, target.x)
    blend = actions.ease(t / 0.9)
    chaser.x = chaser.x[0] * (1 - blend) + behind * blend
    step = np.diff(chaser.x, prepend=chaser.x[0])
    face = np.where(np.abs(step) > 0.05, np.sign(step), 0)
    for i in range(1, len(face)):
        face[i] = face[i] or face[i - 1]
    face[face == 0] = chaser.face[0]
    chaser.face, chaser.lean = face, 13 * face


def actors(shot, t, phones, facts, place, weather):
    """(tracks of the cast, zoom)."""
    xs, tracks = marks(shot), []
    floating = place["ground"] == "none"
    heights = [tallness("actor", m["id"], DEPTHS[m.get("depth", "midground")][0]) for m in shot["cast"]]
    needed = [h * room_of(shot, m, facts) for h, m in zip(heights, shot["cast"])]
    zoom = zoom_of(shot, max(needed, default=1))
    half, most = WIDTH / 2 / (zoom * nearest(shot)), WIDTH / 2 / zoom * 1.08  # half the width that is always visible, and that is ever visible
    wide = [0.5 * h * sprites.aspect("actor", m["id"])[0] for h, m in zip(heights, shot["cast"])]  # half widths
    xs = [float(np.clip(x, WIDTH / 2 - half + w + 2, WIDTH / 2 + half - w - 2)) if w < half else WIDTH / 2 for x, w in zip(xs, wide)]
    for i, member in enumerate(shot["cast"]):
        height, y, sign = heights[i], DEPTHS[member.get("depth", "midground")][1], heading(member["facing"])
        reach = half + (58 if shot["camera"]["move"] == "track" and i == 0 else 0)
        other = partner_of(shot, i)
        c = actions.Setting(sign=sign, x=0, low=(WIDTH / 2 - reach + wide[i]) / height, high=(WIDTH / 2 + reach - wide[i]) / height, duration=0,
                            gravity=max(place["gravity"], 0.12), wind=WIND[weather] / height * (0.15 if place["sky"] else 0), water=place["water"],
                            entrance=(most + sign * (xs[i] - WIDTH / 2) + wide[i] + 4) / height,
                            leave=(most - sign * (xs[i] - WIDTH / 2) + wide[i] + 4) / height,
                            partner=None if other is None else xs[other] / height, gap=1.15 if other is None else (wide[i] + wide[other]) / height)
        c.low, c.high = min(c.low, c.high), max(c.low, c.high)
        m, beats = actor_motion(shot, member, xs[i], height, t, c)
        whats = {what for _, what in beats}
        room = max(FEET[shot["camera"]["size"]] - 9, 1) / (zoom * nearest(shot)) - needed[i]  # stay in the picture, except for falls from above
        room = max(room, 0.12 * height)
        if "falls" not in whats and m.lift.max() > room:
            m.lift *= room / m.lift.max()
        if floating:
            m.lift = m.lift + (0.34 + 0.07 * np.sin(2 * np.pi * t / 2.7 + i)) * min(height, max(room, 8))
            m.lean = m.lean + 5 * np.sin(2 * np.pi * t / 3.3 + i)
            m.sounds = [s for s in m.sounds if s[1] not in ("step", "thump")]
        mood = facts.get((member["id"], "mood"), "calm")
        after = next((f["value"] for f in shot.get("effects", []) if (f["entity"], f["attribute"]) == (member["id"], "mood")), mood)
        turn = shot["duration_ms"] / 2000
        tracks.append(Track(member["id"], "actor", member["id"], height, y, m, mood=[mood if s < turn else after for s in t],
                            mouth=mouths(shot, member["id"], t, phones), moves=beats))
    for i, track in enumerate(tracks):
        other = partner_of(shot, i)
        if other is not None and any(what == "chases" for _, what in track.moves):
            follow(track.motion, tracks[other].motion, t)
        posture(track, t)
    return tracks, zoom


def posture(track, t):
    """Adds the mood to the body: stretch, lean, restlessness."""
    m, mood = track.motion, np.array(track.mood)
    m.sy = m.sy * np.select([mood == "sad", mood == "proud", mood == "sleepy", mood == "afraid"], [0.93, 1.05, 0.96, 0.94], 1.0)
    m.sy = m.sy * np.where(mood == "happy", 1 + 0.035 * np.sin(2 * np.pi * t / 0.5), 1.0)
    m.lean = m.lean + m.face * np.select([mood == "sad", mood == "angry", mood == "proud"], [5, 6, -5], 0)
    m.x = m.x + np.select([mood == "afraid", mood == "angry"], [0.9 * np.sign(np.sin(2 * np.pi * 5.7 * t)), 0.5 * np.sign(np.sin(2 * np.pi * 4.3 * t))], 0)
    m.sy, m.sx = m.sy * (1 + 0.025 * track.mouth), m.sx * (1 - 0.012 * track.mouth)


def props(plan, shot, t, cast, facts, place, weather):
    """Tracks of the props."""
    tracks, duration = [], shot["duration_ms"] / 1000
    by_id = {c.id: c for c in cast}
    effects = {(f["entity"], f["attribute"]): f["value"] for f in shot.get("effects", [])}
    for prop in plan.get("props", []):
        who, holder = prop["id"], facts.get((prop["id"], "holder"))
        if holder not in by_id and facts.get((prop["id"], "place")) != shot["place"]:
            continue
        entry, tint = sprites.PROPS[who], facts.get((prop["id"], "tint"), "natural")
        state = facts.get((prop["id"], "state"), "rests")
        behind = entry["kind"] == "heavy"
        height = tallness("prop", who, 0.95)
        spread = SPREAD[shot["camera"]["size"]]
        x = WIDTH * (0.5 + ({"left": 0.1, "center": 0.5, "right": 0.9}[facts.get((prop["id"], "position"), "center")] - 0.5) * spread)
        if holder not in by_id and not behind and any(abs(c.motion.x[0] - x) < 26 for c in cast):
            x += 36 if x < WIDTH / 2 else -30
        y = 97 if behind else 106
        sign = 1.0 if x < WIDTH / 2 else -1.0
        wind = WIND[weather] if place["sky"] else 0.0
        if entry["kind"] == "heavy" or entry["kind"] == "wheels":
            wind *= 0.3
        m = things.move(entry, state, t, x, 14, WIDTH - 14, sign, max(place["gravity"], 0.12), wind, duration, height)
        if place["ground"] == "none":
            m.lift = m.lift * 0.5 + 26 + 5 * np.sin(2 * np.pi * t / 3.1 + x)
            m.lean = m.lean + 10 * np.sin(2 * np.pi * t / 3.7 + x)
        track = Track(prop["id"], "prop", who, height, y, m, tint=tint, held=np.zeros(len(t), bool), moves=[(0.0, state)])
        if holder in by_id:
            hold(track, by_id[holder], by_id.get(effects.get((prop["id"], "holder"))), t)
        tracks.append(track)
    return tracks


def hold(track, holder, getter, t):
    """Places a held prop over its holder's head and, if it is given away, on an arc to the receiver."""
    def hand(of):
        """Where an actor holds things: (x, lift, y) over the frames."""
        m = of.motion
        return m.x + m.face * 0.18 * of.height, m.lift + of.height * m.sy * m.scale * 0.92 - 0.08 * track.height, np.full_like(t, of.y)
    x, lift, y = hand(holder)
    start = next((s for s, what in holder.moves if what == "gives"), None)
    if getter is not None and getter is not holder and start is not None:
        gx, glift, gy = hand(getter)
        u = np.clip((t - start - actions.GIVEN) / (actions.RECEIVED - actions.GIVEN), 0, 1)
        arc = 18 * 4 * u * (1 - u)
        x, lift, y = x * (1 - u) + gx * u, lift * (1 - u) + glift * u + arc, y * (1 - u) + gy * u
        track.held = (u == 0) | (u == 1)
        track.motion.lean = 360 * u
        joy = np.where(t > start + actions.RECEIVED, np.exp(-np.maximum(t - start - actions.RECEIVED, 0) / 0.5), 0)
        getter.motion.lift = getter.motion.lift + 6 * joy * np.abs(np.sin(2 * np.pi * (t - start - actions.RECEIVED) / 0.5))
    else:
        track.held = np.ones(len(t), bool)
        track.motion.lean = 5 * np.sin(2 * np.pi * t / 0.9)
    track.y = float(np.mean(y)) + 0.5
    track.motion.x, track.motion.lift = x, lift + (track.y - y)
    track.motion.sounds, track.motion.scale, track.motion.sx, track.motion.sy = [], np.ones_like(t), np.ones_like(t), np.ones_like(t)


@dataclasses.dataclass
class Shown:
    """A shot ready to be rendered."""
    tracks: list
    times: np.ndarray  # seconds, per frame
    place: dict
    time: str
    weather: str
    zoom: float
    sounds: list  # (s, name, loudness, who, x) in order of time


def thunder_times(shot):
    """Times of the two lightning flashes of a storm shot; depend only on the shot's start."""
    h = (shot["start_ms"] * 2654435761 + 40503) % 1000 / 1000
    return [t for t in (0.7 + h, 2.8 + 1.1 * h) if t < shot["duration_ms"] / 1000 - 0.3]


def show(plan, index, phones=None):
    """The shot's tracks, sounds and setting."""
    shot = plan["shots"][index]
    facts, entry = facts_before(plan, index), place_of(plan, shot)
    place, time = PLACES[entry["id"]], entry["time_of_day"]
    weather = entry.get("weather", "clear") if place["sky"] else "clear"
    t = np.arange(frame_count(shot)) / FPS
    cast, zoom = actors(shot, t, phones, facts, place, weather)
    things_shown = props(plan, shot, t, cast, facts, place, weather)
    sounds = []
    for track in cast + things_shown:
        for s, name, gain in track.motion.sounds:
            sounds.append((s, name, gain, track.id, float(np.interp(s, t, track.motion.x))))
    if weather == "storm":
        sounds += [(s + 0.25, "thunder", 1.0, entry["id"], WIDTH / 2) for s in thunder_times(shot)]
    sounds = sorted((s for s in sounds if 0 <= s[0] < shot["duration_ms"] / 1000), key=lambda s: (s[0], s[3], s[1]))
    return Shown(cast + things_shown, t, place, time, weather, zoom, sounds)


def sound_effects(plan, index):
    """The sounds of a shot as a plan's sfx: [{at_ms, description}]."""
    last = plan["shots"][index]["duration_ms"] - 1
    return [{"at_ms": min(last, math.floor(1000 * s + 0.5)), "description": name} for s, name, _, _, _ in show(plan, index).sounds]
