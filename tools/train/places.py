"""Painted backdrops of the storybook world: six places, by day and by night.

A backdrop has two layers at 1.5 times the canvas: `far` (opaque) and `near` (RGBA, straight alpha). The camera scales them
by different amounts, which gives the parallax. What varies with the seed is mild (cloud, tree and window positions, hill
phases, a slight tint): the shots of one film are made one by one, so a place must look like itself each time.
"""

import cv2
import numpy as np

WIDTH, HEIGHT = 336, 192  # backdrop size in its own pixels (1.5 x canvas 224 x 128)
GROUND = 153  # the line on which the actors stand

SKIES = {  # top and horizon colours by day
    "forest": ((120, 196, 226), (222, 240, 214)),
    "beach": ((86, 178, 236), (255, 232, 204)),
    "desert": ((246, 178, 104), (255, 232, 182)),
    "snow": ((128, 176, 228), (230, 240, 250)),
    "city": ((148, 190, 238), (250, 226, 232)),
    "moon": ((18, 16, 44), (62, 50, 100)),
}


def grade(colour, night):
    """A day colour as it looks at night: darker and bluer, hue kept."""
    if not night:
        return tuple(float(c) for c in colour)
    r, g, b = colour
    return 0.30 * r + 8, 0.36 * g + 12, 0.46 * b + 34


class Painter:
    """Draws anti-aliased shapes on one RGBA layer in colours graded for the time of day."""

    def __init__(self, night, rng, tint):
        self.layer = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        self.night, self.rng, self.tint = night, rng, tint

    def colour(self, rgb, glow=False):
        graded = rgb if glow else grade(np.clip(np.asarray(rgb) + self.tint, 0, 255), self.night)
        return (*(float(c) for c in graded), 255.0)

    def polygon(self, points, rgb, glow=False):
        points = np.round(np.asarray(points, np.float64) * 16).astype(np.int32)
        cv2.fillPoly(self.layer, [points], self.colour(rgb, glow), cv2.LINE_AA, 4)

    def ellipse(self, x, y, rx, ry, rgb, glow=False):
        centre, axes = (int(x * 16), int(y * 16)), (int(rx * 16), int(ry * 16))
        cv2.ellipse(self.layer, centre, axes, 0, 0, 360, self.colour(rgb, glow), -1, cv2.LINE_AA, 4)

    def rectangle(self, x0, y0, x1, y1, rgb, glow=False):
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], rgb, glow)

    def gradient(self, y0, y1, top, bottom, glow=False):
        t = np.linspace(0, 1, y1 - y0)[:, None]
        a, b = np.array(self.colour(top, glow)[:3]), np.array(self.colour(bottom, glow)[:3])
        self.layer[y0:y1, :, :3] = (a * (1 - t) + b * t)[:, None]
        self.layer[y0:y1, :, 3] = 255

    def ridge(self, base, waves, top, bottom):
        """A land form below the curve base + sum(amplitude * sin(frequency * x + phase)), shaded from top to bottom colour."""
        x = np.arange(WIDTH)
        curve = base + sum(a * np.sin(f * x + p) for a, f, p in waves)
        y = np.arange(HEIGHT)[:, None]
        cover = np.clip(y - curve[None] + 0.5, 0, 1)[..., None]
        depth = np.clip((y - curve[None]) / max(HEIGHT - base, 1), 0, 1)[..., None]
        a, b = np.array(self.colour(top)[:3]), np.array(self.colour(bottom)[:3])
        rgb = a + (b - a) * depth
        self.layer[..., :3] = self.layer[..., :3] * (1 - cover) + rgb * cover
        self.layer[..., 3] = np.maximum(self.layer[..., 3], cover[..., 0] * 255)

    def round_tree(self, x, y, size, leaf, trunk=(122, 86, 58)):
        self.rectangle(x - size * 0.09, y - size * 0.7, x + size * 0.09, y, trunk)
        dark = tuple(c * 0.84 for c in leaf)
        self.ellipse(x, y - size * 0.95, size * 0.46, size * 0.44, dark)
        self.ellipse(x - size * 0.22, y - size * 0.8, size * 0.3, size * 0.28, dark)
        self.ellipse(x + size * 0.24, y - size * 0.78, size * 0.3, size * 0.28, dark)
        self.ellipse(x - size * 0.06, y - size * 1.02, size * 0.36, size * 0.33, leaf)

    def pine(self, x, y, size, leaf, snow=None):
        self.rectangle(x - size * 0.05, y - size * 0.2, x + size * 0.05, y, (112, 80, 60))
        for i in range(3):
            half, low, high = size * (0.34 - 0.07 * i), y - size * (0.14 + 0.25 * i), y - size * (0.58 + 0.22 * i)
            self.polygon([(x - half, low), (x + half, low), (x, high)], leaf)
            if snow:
                self.polygon([(x - half * 0.5, (low + high) / 2), (x, (low + high) / 2 + 3), (x + half * 0.5, (low + high) / 2), (x, high)], snow)

    def cloud(self, x, y, size):
        for dx, dy, r in ((-0.7, 0.1, 0.42), (0, -0.12, 0.6), (0.72, 0.08, 0.45), (0.1, 0.2, 0.6)):
            self.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.6, (255, 255, 255))


def paint_sky(p, place):
    top, horizon = SKIES[place]
    space = place == "moon"
    if p.night:
        top, horizon = ((6, 7, 26), (22, 24, 62)) if space else ((14, 22, 66), (58, 72, 132))
    p.gradient(0, HEIGHT, top, horizon, glow=p.night or space)
    if p.night or space:
        count = 46 if p.night else 22
        for x, y, s in zip(p.rng.uniform(4, WIDTH - 4, count), p.rng.uniform(2, 96, count), p.rng.uniform(0.5, 1.3, count)):
            p.ellipse(x, y, s, s, (250, 246, 214), glow=True)
    if space:
        return
    x = 262 + p.rng.uniform(-6, 6)
    if p.night:  # a crescent: a bright disc with a bite in the sky's colour
        p.ellipse(x, 34, 15, 15, (252, 244, 206), glow=True)
        p.ellipse(x - 7, 30, 13, 13, (24, 33, 80), glow=True)
    else:
        p.ellipse(x, 36, 19, 19, (255, 244, 190))
        p.ellipse(x, 36, 14, 14, (255, 224, 112))
        for cx, cy, s in ((64, 30, 21), (168, 22, 16)):
            p.cloud(cx + p.rng.uniform(-14, 14), cy + p.rng.uniform(-5, 5), s)


def paint_forest(far, near):
    rng = far.rng
    far.ridge(96, [(7, 0.024, rng.uniform(0, 1))], (160, 206, 168), (150, 196, 150))
    for i in range(13):
        far.pine(i * 27 + rng.uniform(-4, 4), 118, rng.uniform(44, 58), (112, 172, 130))
    far.ridge(114, [(4, 0.03, 2 + rng.uniform(0, 1))], (112, 178, 104), (96, 164, 90))
    for i in range(8):
        far.round_tree(22 + i * 43 + rng.uniform(-6, 6), 132, rng.uniform(48, 58), (74, 148, 82))
    near.ridge(130, [(3, 0.02, rng.uniform(0, 1))], (124, 192, 84), (70, 138, 62))
    near.round_tree(16 + rng.uniform(-4, 4), 146, 104, (54, 126, 66))
    near.round_tree(322 + rng.uniform(-4, 4), 144, 96, (60, 134, 70))
    for x, y in zip(rng.uniform(10, 326, 12), rng.uniform(160, 188, 12)):
        near.ellipse(x, y, 2, 2, (255, 236, 120) if x % 2 < 1 else (255, 190, 205))
    x = 84 + rng.uniform(-6, 6)
    near.rectangle(x - 2, 143, x + 2, 151, (246, 236, 214))
    near.ellipse(x, 143, 7, 4.5, (220, 74, 60))


def paint_beach(far, near):
    rng = far.rng
    far.gradient(92, 150, (40, 134, 196), (112, 212, 214))
    far.ellipse(48, 96, 56, 12, (126, 176, 148))
    far.gradient(96, 97, (58, 150, 208), (58, 150, 208))
    far.gradient(97, 150, (44, 142, 204), (124, 220, 216))
    x = 196 + rng.uniform(-16, 16)
    far.polygon([(x - 13, 108), (x + 13, 108), (x + 8, 115), (x - 8, 115)], (170, 90, 66))
    far.polygon([(x, 84), (x, 106), (x + 13, 106)], (255, 252, 244))
    far.polygon([(x - 2, 88), (x - 2, 106), (x - 11, 106)], (244, 120, 104))
    for y in (110, 119, 127):
        for i in range(6):
            cx = i * 60 + (y * 7) % 50 + rng.uniform(-6, 6)
            far.ellipse(cx, y, 14, 0.9, (196, 238, 242))
    near.ridge(133, [(3, 0.022, rng.uniform(0, 1))], (236, 250, 248), (236, 250, 248))
    near.ridge(137, [(3, 0.022, rng.uniform(0, 1))], (250, 226, 166), (226, 188, 118))
    x = 26 + rng.uniform(-4, 4)
    near.polygon([(x - 6, 162), (x + 6, 162), (x + 14, 104), (x + 24, 66), (x + 19, 64), (x + 7, 102)], (164, 116, 72))
    for angle in (-2.9, -2.3, -0.9, -0.3, 0.35, 2.8):
        tip = (x + 21 + 46 * np.cos(angle), 66 + 32 * np.sin(angle) + 8)
        middle = (x + 21 + 25 * np.cos(angle), 58 + 22 * np.sin(angle))
        near.polygon([(x + 21, 62), middle, tip, (middle[0], middle[1] + 9), (x + 21, 70)], (66, 158, 84))
    for x, y in zip(rng.uniform(70, 326, 6), rng.uniform(162, 186, 6)):
        near.ellipse(x, y, 3, 2, (255, 180, 160))


def paint_desert(far, near):
    rng = far.rng
    for x, w, h in ((70 + rng.uniform(-8, 8), 62, 46), (214 + rng.uniform(-8, 8), 46, 34)):
        far.polygon([(x - w / 2, 124), (x - w * 0.36, 120 - h), (x + w * 0.36, 120 - h), (x + w / 2, 124)], (208, 112, 74))
        far.polygon([(x - w * 0.42, 122 - h * 0.5), (x + w * 0.42, 122 - h * 0.5), (x + w * 0.45, 128 - h * 0.5), (x - w * 0.45, 128 - h * 0.5)], (226, 136, 90))
    far.ridge(112, [(8, 0.018, 1 + rng.uniform(0, 0.8))], (240, 176, 104), (224, 148, 82))
    far.ridge(124, [(7, 0.024, 3 + rng.uniform(0, 0.8))], (246, 190, 116), (226, 154, 86))
    near.ridge(136, [(5, 0.019, rng.uniform(0, 1))], (252, 206, 130), (222, 148, 78))
    for x, s in ((40 + rng.uniform(-6, 6), 1.0), (300 + rng.uniform(-6, 6), 0.8)):
        green, y = (86, 146, 92), 148
        near.rectangle(x - 6 * s, y - 52 * s, x + 6 * s, y, green)
        near.ellipse(x, y - 52 * s, 6 * s, 6 * s, green)
        for side, low in ((-1, 26), (1, 34)):
            near.rectangle(min(x, x + side * 18 * s), y - low * s, max(x, x + side * 18 * s), y - (low - 8) * s, green)
            near.rectangle(x + side * 18 * s - 4 * s, y - (low + 16) * s, x + side * 18 * s + 4 * s, y - (low - 8) * s, green)
            near.ellipse(x + side * 18 * s, y - (low + 16) * s, 4 * s, 4 * s, green)
    for x, y in zip(rng.uniform(60, 326, 6), rng.uniform(164, 186, 6)):
        near.ellipse(x, y, 5, 2.5, (196, 122, 76))


def paint_snow(far, near):
    rng = far.rng
    for x, w, h in ((30, 150, 74), (250, 170, 88), (140, 150, 98)):
        x += rng.uniform(-8, 8)
        far.polygon([(x - w / 2, 132), (x, 130 - h), (x + w / 2, 132)], (134, 156, 190))
        far.polygon([(x, 132), (x, 130 - h), (x + w / 2, 132)], (112, 136, 176))
        far.polygon([(x - w * 0.17, 130 - h * 0.66), (x, 130 - h), (x + w * 0.17, 130 - h * 0.66), (x + w * 0.07, 130 - h * 0.58),
                     (x, 130 - h * 0.7), (x - w * 0.07, 130 - h * 0.58)], (252, 253, 255))
    far.ridge(122, [(5, 0.022, rng.uniform(0, 1))], (226, 236, 248), (206, 222, 240))
    for i in range(9):
        far.pine(14 + i * 39 + rng.uniform(-5, 5), 136, rng.uniform(32, 42), (78, 128, 124), (240, 246, 252))
    near.ridge(134, [(4, 0.018, 2 + rng.uniform(0, 1))], (250, 252, 255), (198, 216, 240))
    near.pine(24 + rng.uniform(-4, 4), 152, 84, (62, 116, 110), (246, 250, 255))
    near.pine(314 + rng.uniform(-4, 4), 150, 74, (68, 122, 116), (246, 250, 255))


def paint_city(far, near):
    rng = far.rng
    for i, h in enumerate((66, 88, 58, 80, 96, 62, 84, 70, 90)):
        x = i * 39 - 8
        far.rectangle(x, 136 - h, x + 31, 140, (176, 190, 216))
    walls = ((236, 128, 108), (250, 204, 112), (122, 182, 196), (240, 156, 166), (166, 196, 128))
    roofs = ((150, 74, 70), (176, 106, 62), (70, 110, 136), (150, 84, 106), (96, 128, 80))
    for i in range(5):
        x0, h = 4 + i * 67 + rng.uniform(-3, 3), (62, 76, 56, 72, 64)[i]
        x1, y0 = x0 + 60, 140 - h
        far.rectangle(x0, y0, x1, 142, walls[i])
        far.polygon([(x0 - 4, y0), (x1 + 4, y0), ((x0 + x1) / 2, y0 - 24)], roofs[i])
        for row in range(2):
            for column in range(2):
                wx, wy = x0 + 10 + column * 26, y0 + 8 + row * 24
                lit = far.night
                if row == 1 and column == 1:
                    far.rectangle(wx, wy + 2, wx + 15, 142, (112, 74, 60))
                    continue
                far.rectangle(wx - 1.5, wy - 1.5, wx + 15.5, wy + 15.5, (255, 250, 240))
                far.rectangle(wx, wy, wx + 14, wy + 14, (255, 222, 120) if lit else (150, 204, 232), glow=lit)
    near.gradient(138, 148, (214, 208, 204), (200, 194, 192))
    near.gradient(148, HEIGHT, (128, 130, 144), (98, 100, 118))
    for i in range(6):
        x = i * 64 + 12
        near.polygon([(x, 170), (x + 30, 170), (x + 27, 174), (x - 3, 174)], (246, 240, 214))
    x = 318 + rng.uniform(-4, 4)
    near.rectangle(x - 2, 62, x + 2, 146, (74, 80, 96))
    near.ellipse(x, 58, 8, 8, (255, 234, 150), glow=near.night)


def paint_moon(far, near):
    rng = far.rng
    x, y = 74 + rng.uniform(-6, 6), 42 + rng.uniform(-3, 3)
    far.ellipse(x, y, 28, 28, (70, 104, 170), glow=True)
    far.ellipse(x, y, 25, 25, (64, 144, 226), glow=True)
    far.ellipse(x - 9, y - 6, 10, 8, (96, 184, 106), glow=True)
    far.ellipse(x + 8, y + 8, 9, 7, (96, 184, 106), glow=True)
    far.ellipse(x + 3, y - 17, 9, 3, (244, 250, 255), glow=True)
    far.ridge(116, [(7, 0.03, 1 + rng.uniform(0, 0.8)), (3, 0.07, 0)], (140, 140, 156), (120, 120, 138))
    near.ridge(130, [(4, 0.02, 2 + rng.uniform(0, 0.8))], (206, 206, 216), (150, 150, 166))
    for cx, cy, r in ((40, 144, 22), (282, 147, 26), (170, 176, 30), (96, 182, 15), (318, 180, 17)):
        cx += rng.uniform(-6, 6)
        near.ellipse(cx, cy, r, r * 0.34, (228, 228, 236))
        near.ellipse(cx, cy + 1.5, r * 0.88, r * 0.27, (132, 132, 150))


PAINTERS = {"forest": paint_forest, "beach": paint_beach, "desert": paint_desert, "snow": paint_snow, "city": paint_city, "moon": paint_moon}


def paint(place, time_of_day, film_seed):
    """(far RGB uint8 [192,336,3], near RGBA uint8 [192,336,4]) of a place in one film."""
    rng = np.random.default_rng([film_seed & 0xFFFFFFFF, sorted(SKIES).index(place)])
    tint = rng.uniform(-7, 7, 3)
    night = time_of_day == "night"
    far, near = Painter(night, rng, tint), Painter(night, rng, tint)
    paint_sky(far, place)
    PAINTERS[place](far, near)
    return far.layer[..., :3].copy(), near.layer
