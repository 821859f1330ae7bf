"""Rain, snow, fog and storm as particles, and the small life of places: fireflies, bubbles, petals, birds."""

import functools

import cv2
import numpy as np

from storybook import light

# Count, speeds downwards and sideways in units/s, length in units.
DROPS = {"rain": (90, 210.0, 40.0, 7.0), "storm": (150, 260.0, 130.0, 9.0), "snow": (110, 26.0, 9.0, 0.0)}
FLASH = 0.18  # seconds of a lightning flash


class Sky:
    """What falls and drifts in front of a shot. scale: pixels per unit; thunder: times of lightning in seconds."""

    def __init__(self, shown, seed, scale, thunder):
        self.kind, self.scale, self.thunder = shown.weather, scale, thunder
        self.width, self.height = round(224 * scale), round(128 * scale)
        rng = np.random.default_rng([seed & 0xFFFFFFFF, 77])
        count = DROPS.get(self.kind, (0,))[0]
        self.start, self.near = rng.uniform(0, 1, (count, 2)).astype(np.float32), rng.uniform(0.55, 1.15, count).astype(np.float32)
        self.life = ambient(shown)
        self.motes = rng.uniform(0, 1, (26, 4)).astype(np.float32)
        self.dim = light.on_actors(shown.time, "clear")

    def front(self, frame, t):
        """Draws everything in front of the scene on a uint8 RGB frame."""
        if self.life:
            LIFE[self.life](frame, self.motes, t, self.scale)
        if self.kind in ("rain", "storm"):
            self.rain(frame, t)
        elif self.kind == "snow":
            self.snow(frame, t)
        elif self.kind == "fog":
            self.fog(frame, t)
        if any(0 <= t - s < FLASH for s in self.thunder):
            cv2.addWeighted(frame, 0.55, np.full_like(frame, 255), 0.45, 0, frame)

    def fallen(self, t):
        """Positions of the particles in pixels, wrapped around a margin outside the picture."""
        _, down, aside, _ = DROPS[self.kind]
        x = np.mod(self.start[:, 0] * 264 + aside * self.near * t, 264) - 20
        y = np.mod(self.start[:, 1] * 148 + down * self.near * t, 148) - 10
        return x * self.scale, y * self.scale

    def rain(self, frame, t):
        _, down, aside, length = DROPS[self.kind]
        x, y = self.fallen(t)
        size = self.near * length * self.scale
        ends = np.stack([np.stack([x, y], 1), np.stack([x - size * aside / down, y - size], 1)], 1)
        veil = frame.copy()
        cv2.polylines(veil, np.round(ends * 16).astype(np.int32), False, tuple(float(v) for v in np.multiply((222, 234, 248), self.dim)),
                      max(1, round(self.scale)),
                      cv2.LINE_AA, 4)
        cv2.addWeighted(frame, 0.45, veil, 0.55, 0, frame)

    def snow(self, frame, t):
        x, y = self.fallen(t)
        x = x + np.sin(1.7 * t + 6 * self.near + y * 0.05) * 3 * self.scale
        points = np.stack([x, y], 1)
        colour = tuple(float(v) for v in np.multiply((255, 255, 255), np.sqrt(self.dim)))
        for near, thick in ((self.near < 0.9, 1.4), (self.near >= 0.9, 2.4)):
            some = np.round(points[near] * 16).astype(np.int32)
            cv2.polylines(frame, np.stack([some, some + (8, 4)], 1), False, colour, max(1, round(thick * self.scale)), cv2.LINE_AA, 4)

    def fog(self, frame, t):
        """Draws two banks that drift in opposite directions."""
        for i, (speed, strength) in enumerate(((9, 0.34), (-5, 0.22))):
            veil, left = bank(i, self.scale, strength, self.dim)
            at = int(np.mod(speed * t * self.scale, veil.shape[1] - self.width))
            cv2.multiply(frame, left[:, at:at + self.width], frame, 1 / 255)
            cv2.add(frame, veil[:, at:at + self.width], frame)


@functools.lru_cache(maxsize=16)
def bank(number, scale, strength, dim):
    """A repeating fog bank twice as wide as the picture: (premultiplied colour, remaining transparency), uint8 RGB."""
    rng = np.random.default_rng([number, 5])
    width, height = round(448 * scale), round(128 * scale)
    x, y = np.linspace(0, 4 * np.pi, width, dtype=np.float32)[None], np.linspace(0, 1, height, dtype=np.float32)[:, None]
    cloud = sum(np.sin(k * x / 1.0 + 5 * y * k + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5)) / 2.2
    alpha = strength * np.clip(0.75 + 0.5 * cloud, 0, 1.2) * (0.45 + 0.75 * np.exp(-((y - 0.66) / 0.3) ** 2))
    alpha = np.clip(alpha, 0, 0.85)[..., None]
    alpha = np.concatenate([alpha, alpha[:, :round(224 * scale) + 2]], 1)
    colour = np.multiply((226, 230, 236), dim).astype(np.float32)
    return np.round(alpha * colour).astype(np.uint8), np.round(255 * (1 - np.repeat(alpha, 3, 2))).astype(np.uint8)


def ambient(shown):
    """The small life of a place, a key of LIFE, or None."""
    place, dark = shown.place["id"], shown.time in ("night", "dusk")
    if place == "underwater":
        return "bubbles"
    if shown.weather != "clear":
        return None
    if place in ("forest", "meadow", "village", "castle") and dark:
        return "fireflies"
    if place == "cave":
        return "fireflies"
    if place in ("beach", "mountains", "desert", "snow") and shown.time != "night":
        return "birds"
    return "petals" if place == "meadow" else None


@functools.lru_cache(maxsize=64)
def spark(radius, shine):
    """The additive glow of a firefly."""
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1].astype(np.float32)
    near = np.clip(1 - np.hypot(x, y) / radius, 0, 1)[..., None]
    return np.round(np.clip(near ** 2 * 1.6, 0, 1) * shine * np.float32((255, 240, 120))).astype(np.uint8)


def fireflies(frame, motes, t, scale):
    for a, b, c, d in motes[:16]:
        shine = max(0.0, float(np.sin(2 * np.pi * (t / (1.6 + 1.5 * c) + d))))
        if shine > 0.1:
            x, y = (224 * a + 9 * np.sin(t * (0.6 + c) + 9 * d)) * scale, (40 + 66 * b + 6 * np.sin(t * (0.8 + d) + 7 * a)) * scale
            halo = spark(max(3, round(5 * scale)), round(shine * 8) / 8)
            r = halo.shape[0] // 2
            x, y = int(x), int(y)
            part = frame[max(0, y - r):y + r + 1, max(0, x - r):x + r + 1]
            if part.shape == halo.shape:
                cv2.add(part, halo, part)


def bubbles(frame, motes, t, scale):
    for a, b, c, d in motes[:14]:
        y = (1 - np.mod(b + t * (0.16 + 0.2 * c), 1.0)) * 140 - 6
        x = 224 * a + 3 * np.sin(3 * t + 9 * d)
        cv2.circle(frame, (int(x * scale * 16), int(y * scale * 16)), int((1.2 + 2.2 * c) * scale * 16), (206, 242, 252), 1, cv2.LINE_AA, 4)


def petals(frame, motes, t, scale):
    for i, (a, b, c, d) in enumerate(motes[:10]):
        x, y = np.mod(224 * a + t * (12 + 8 * c), 236) - 6, np.mod(128 * b + t * (9 + 5 * d), 134) - 3
        turn = 90 * np.sin(3 * t + 9 * d)
        cv2.ellipse(frame, (int(x * scale * 16), int(y * scale * 16)), (int(2.0 * scale * 16), int(1.0 * scale * 16)), float(turn), 0, 360,
                    ((255, 190, 208), (255, 240, 244))[i % 2], -1,
                    cv2.LINE_AA, 4)


def birds(frame, motes, t, scale):
    """A few distant birds that cross the sky."""
    for a, b, c, d in motes[:4]:
        x, y = np.mod(244 * a + (9 + 7 * c) * t, 244) - 10, 10 + 26 * b + 2 * np.sin(1.3 * t + 9 * d)
        wing, size = 2.2 * np.sin(2 * np.pi * (2.2 + c) * t + 9 * d), 3.4 + 1.6 * d
        points = np.array([(x - size, y - wing), (x - size * 0.4, y - 0.5 - 0.3 * wing), (x, y), (x + size * 0.4, y - 0.5 - 0.3 * wing), (x + size, y - wing)])
        cv2.polylines(frame, [np.round(points * scale * 16).astype(np.int32)], False, (70, 74, 92), max(1, round(scale)), cv2.LINE_AA, 4)


# Each draws on a uint8 RGB frame at t seconds. motes [n, 4]: random numbers in 0 … 1 that set the place and pace of each particle.
LIFE = {"birds": birds, "fireflies": fireflies, "bubbles": bubbles, "petals": petals}
