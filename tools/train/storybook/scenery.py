"""A place painted in parallax planes: sky, far, mid, near (where actors stand) and fore (in front of them)."""

import functools
from typing import NamedTuple

import numpy as np

from storybook import light, places_land, places_made
from storybook.brush import BOTTOM, LEFT, PLANES, RIGHT, TOP, Layer

PAINTERS = {f.__name__: f for f in (places_land.forest, places_land.beach, places_land.desert, places_land.snow, places_land.meadow, places_land.mountains,
                                    places_land.moon, places_made.city, places_made.village, places_made.castle, places_made.room, places_made.cave,
                                    places_made.underwater, places_made.space)}
VARIANTS = 8  # number of looks of a place
DETAIL = 1.5  # layer pixels per canvas pixel in a wide shot


class Scene:
    """The planes while they are being painted."""

    def __init__(self, time, weather, rng, scale):
        tint = rng.uniform(-6, 6, 3)
        self.rng, self.time, self.weather = rng, time, weather
        for plane in PLANES:
            setattr(self, plane, Layer(plane, time, weather, rng, tint, scale))

    def stars(self, count):
        for x, y, r in zip(self.rng.uniform(LEFT, RIGHT, count), self.rng.uniform(TOP, 90, count), self.rng.uniform(0.35, 0.95, count)):
            self.sky.ellipse(x, y, r, r, (252, 248, 220), glow=True)


def paint_sky(s, place):
    """Paints the sky with sun or moon, stars and clouds, by time and weather. Space and the moon have a black one; underwater and cave paint their own."""
    if place in ("space", "moon"):
        s.sky.gradient(TOP, BOTTOM, ((10, 8, 30), (26, 20, 62), (48, 36, 92)), glow=True)
        if place == "moon":
            s.stars(110)
        return
    if place in ("underwater", "cave"):
        return
    stops = [light.grade(c, "day", s.weather) for c in light.SKIES[s.time]] if s.time != "night" else light.SKIES["night"]
    s.sky.gradient(TOP, 96, stops, glow=True)
    s.sky.gradient(96, BOTTOM, (stops[2], stops[2]), glow=True)
    veiled = s.weather in ("rain", "storm", "fog", "snow")
    x = 176 + s.rng.uniform(-10, 10)
    if s.time == "night":
        if not veiled:
            s.stars(90)
            s.sky.glow(x, 24, 34, (190, 196, 230), 0.4)
            turn = np.linspace(-2.2, 1.1, 24)
            outer, inner = np.stack([x + 11 * np.cos(turn), 24 + 11 * np.sin(turn)], 1), np.stack([x - 4.4 + 9 * np.cos(turn), 22 + 9 * np.sin(turn)], 1)
            s.sky.polygon(np.concatenate([outer, inner[::-1]]), (252, 244, 206), glow=True)
    elif not veiled:
        y, colour, halo = {"dawn": (56, (255, 226, 158), (255, 220, 180)), "day": (24, (255, 228, 112), (255, 246, 206)),
                           "dusk": (58, (255, 150, 84), (255, 170, 110))}[s.time]
        x = x if s.time != "dawn" else 48 + s.rng.uniform(-10, 10)
        s.sky.glow(x, y, 62 if s.time != "day" else 44, halo, 0.8)
        s.sky.ellipse(x, y, 12.5, 12.5, colour, glow=True)
    if s.time != "night" or veiled:
        white = {"dawn": (255, 226, 222), "day": (255, 255, 255), "dusk": (246, 164, 150), "night": (60, 72, 112)}[s.time]
        if s.time != "night":
            white = {"rain": (176, 186, 200), "storm": (104, 112, 136), "snow": (232, 236, 244), "fog": (226, 230, 234)}.get(s.weather, white)
        spots = ((-54, 22, 17), (38, 19, 15), (112, 12, 12), (214, 34, 14), (282, 18, 17), (20, -30, 18), (170, -36, 16))
        if veiled:
            spots += ((-20, 8, 22), (80, 4, 24), (150, 10, 22), (250, 6, 24))
        for cx, cy, size in spots:
            s.sky.cloud(cx + s.rng.uniform(-12, 12), cy + s.rng.uniform(-4, 4), size,
                        white if s.time == "night" else tuple(light.grade(white, s.time)) if veiled else white)


def variant(film_seed):
    """The number of a place's look for a film's seed."""
    return film_seed % VARIANTS


class Plane(NamedTuple):
    """A painted plane: premultiplied RGBA uint8 of the non-empty rows, from row `first` of the layer on; opaque from row `hides` on."""
    pixels: np.ndarray
    first: int
    hides: int


def cropped(pixels):
    """The layer as a `Plane`."""
    any_there, all_there = (pixels[..., 3] > 0).any(1), (pixels[..., 3] == 255).all(1)
    hides = 0 if all_there.all() else len(pixels) - int(np.argmin(all_there[::-1]))
    first = max(0, int(np.argmax(any_there)) - 1) if any_there.any() else len(pixels) - 1  # keep one transparent row above
    return Plane(pixels[first:].copy(), first, hides)


@functools.lru_cache(maxsize=384)
def paint(place, time, weather, number, canvas_scale=1.0):
    """{name: Plane} of a place in the look `number` (below VARIANTS); the sky is opaque. About 2 MB per place at the model's canvas."""
    rng = np.random.default_rng([number, sorted(PAINTERS).index(place)])
    s = Scene(time, weather, rng, DETAIL * canvas_scale)
    paint_sky(s, place)
    PAINTERS[place](s)
    return {plane: cropped(getattr(s, plane).pixels) for plane in PLANES}
