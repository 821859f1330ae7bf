"""Layers of a painted scene: anti-aliased shapes in world units, coloured by light.

A unit is one pixel of the 224 x 128 canvas in a wide shot; the picture covers x 0 … 224, y 0 … 128. Layers extend further, for moving cameras.
"""

import cv2
import numpy as np

from storybook import light

LEFT, TOP, RIGHT, BOTTOM = -96, -64, 320, 144  # extent of a layer, in units
GROUND = 103  # y of the line on which actors stand
PLANES = {"sky": 0.08, "far": 0.35, "mid": 0.65, "near": 1.0, "fore": 1.35}  # parallax: how far each plane follows the camera
HAZE = {"sky": 0.0, "far": 0.32, "mid": 0.10, "near": 0.0, "fore": 0.0}


class Layer:
    """One plane: premultiplied RGBA uint8 with `scale` pixels per unit. Positions, sizes and widths are in units, angles in degrees, colours are daylight
    RGB."""

    def __init__(self, plane, time, weather, rng, tint, scale):
        self.pixels = np.zeros((round((BOTTOM - TOP) * scale), round((RIGHT - LEFT) * scale), 4), np.uint8)
        self.time, self.weather, self.rng, self.tint, self.scale, self.haze = time, weather, rng, tint, scale, HAZE[plane]
        self.dark = light.DARK[time]

    def colour(self, rgb, glow=False):
        """`rgb` under the scene's light as RGBA floats; with glow it is unchanged."""
        if glow:
            return (*map(float, rgb), 255.0)
        tinted = [min(255.0, max(0.0, c + d)) for c, d in zip(rgb, self.tint)]
        return (*light.grade(tinted, self.time, self.weather, self.haze), 255.0)

    def polygon(self, points, rgb, glow=False):
        points = np.round((np.asarray(points, np.float64) - (LEFT, TOP)) * self.scale * 16).astype(np.int32)
        cv2.fillPoly(self.pixels, [points], self.colour(rgb, glow), cv2.LINE_AA, 4)

    def ellipse(self, x, y, rx, ry, rgb, glow=False, turn=0, start=0, end=360):
        """An ellipse, rotated by `turn`, or its sector from angle `start` to `end`, as OpenCV draws them."""
        k = 16 * self.scale
        cv2.ellipse(self.pixels, (int((x - LEFT) * k), int((y - TOP) * k)), (max(1, int(rx * k)), max(1, int(ry * k))), turn, start, end,
                    self.colour(rgb, glow), -1, cv2.LINE_AA, 4)

    def rectangle(self, x0, y0, x1, y1, rgb, glow=False):
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], rgb, glow)

    def line(self, points, width, rgb, glow=False):
        """An open line through the points, at least one pixel wide."""
        points = np.round((np.asarray(points, np.float64) - (LEFT, TOP)) * self.scale * 16).astype(np.int32)
        cv2.polylines(self.pixels, [points], False, self.colour(rgb, glow), max(1, round(width * self.scale)), cv2.LINE_AA, 4)

    def gradient(self, y0, y1, stops, glow=False):
        """Fills the rows y0 … y1 with colours at equal steps from top to bottom."""
        a, b = round((y0 - TOP) * self.scale), round((y1 - TOP) * self.scale)
        t = np.linspace(0, len(stops) - 1, b - a)
        colours = np.array([self.colour(c, glow)[:3] for c in stops])
        rows = np.stack([np.interp(t, range(len(stops)), colours[:, c]) for c in range(3)], 1)
        self.pixels[a:b, :, :3] = rows[:, None]
        self.pixels[a:b, :, 3] = 255

    def ridge(self, base, waves, top, bottom, depth=50):
        """Land below the curve base + sum(amplitude * sin(frequency * x + phase)), shaded over `depth` units below its crest."""
        width, height = self.pixels.shape[1], self.pixels.shape[0]
        x = np.arange(0, width + 4, 4) / self.scale + LEFT
        curve = sum((a * np.sin(f * x + p) for a, f, p in waves), np.full(len(x), float(base)))
        first = max(0, int((curve.min() - TOP) * self.scale) - 1)
        points = np.stack([(x - LEFT) * self.scale, (curve - TOP) * self.scale - first], 1)
        points = np.concatenate([points, [(width + 8, height), (-8, height)]])
        mask = np.zeros((height - first, width), np.uint8)
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        shade = np.clip(np.arange(height - first)[:, None] / self.scale / depth, 0, 1)
        rows = np.array(self.colour(top)) * (1 - shade) + np.array(self.colour(bottom)) * shade
        land = np.broadcast_to(np.round(rows).astype(np.uint8)[:, None], (height - first, width, 4))
        cover, part = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGBA), self.pixels[first:]
        cover[..., 3] = mask
        cv2.multiply(part, cv2.bitwise_not(cover), part, 1 / 255)
        cv2.add(part, cv2.multiply(np.ascontiguousarray(land), cover, None, 1 / 255), part)

    def glow(self, x, y, radius, rgb, strength):
        """Adds a soft light to what is painted already; `strength` at its centre, 0 at `radius`."""
        k = self.scale
        x0, y0 = max(0, int((x - radius - LEFT) * k)), max(0, int((y - radius - TOP) * k))
        part = self.pixels[y0:int((y + radius - TOP) * k), x0:int((x + radius - LEFT) * k)]
        v, u = np.mgrid[y0:y0 + part.shape[0], x0:x0 + part.shape[1]].astype(np.float32)
        near = np.clip(1 - np.hypot(u - np.float32((x - LEFT) * k), v - np.float32((y - TOP) * k)) / np.float32(radius * k), 0, 1)
        near = near[..., None] ** 2 * np.float32(strength)
        alpha = part[..., 3:] * np.float32(1 / 255)
        part[..., :3] = part[..., :3] + (np.asarray(rgb, np.float32) * alpha - part[..., :3]) * near

    # ---- shapes that many places share

    def round_tree(self, x, y, size, leaf, trunk=(122, 86, 58), fruit=None):
        """A tree with its foot at (x, y), about `size` high. fruit: its colour, or None."""
        self.polygon([(x - size * 0.1, y), (x + size * 0.1, y), (x + size * 0.06, y - size * 0.7), (x - size * 0.06, y - size * 0.7)], trunk)
        dark, bright = tuple(c * 0.82 for c in leaf), tuple(min(255, c * 1.12) for c in leaf)
        for dx, dy, rx, ry, c in ((0, 0.92, 0.46, 0.42, dark), (-0.24, 0.78, 0.3, 0.27, dark), (0.26, 0.76, 0.3, 0.27, dark), (-0.05, 1.0, 0.37, 0.33, leaf),
                                  (-0.2, 0.84, 0.2, 0.17, leaf), (-0.12, 1.1, 0.2, 0.15, bright)):
            self.ellipse(x + dx * size, y - dy * size, rx * size, ry * size, c)
        for dx, dy in ((-0.25, 0.75), (0.1, 0.95), (0.26, 0.8), (-0.08, 1.12)) if fruit else ():
            self.ellipse(x + dx * size, y - dy * size, size * 0.045, size * 0.045, fruit)

    def pine(self, x, y, size, leaf, snow=None):
        """A pine with its foot at (x, y), about `size` high. snow: the colour of snow on its branches, or None."""
        self.rectangle(x - size * 0.05, y - size * 0.2, x + size * 0.05, y, (112, 80, 60))
        for i in range(3):
            half, low, high = size * (0.34 - 0.07 * i), y - size * (0.14 + 0.25 * i), y - size * (0.58 + 0.22 * i)
            self.polygon([(x - half, low), (x + half, low), (x, high)], leaf)
            self.polygon([(x, low), (x + half, low), (x, high)], tuple(c * 0.86 for c in leaf))
            if snow:
                middle = (low + high) / 2
                self.polygon([(x - half * 0.5, middle), (x, middle + 2), (x + half * 0.5, middle), (x, high)], snow)

    def cloud(self, x, y, size, rgb=(255, 255, 255)):
        """A cloud around (x, y); `size`: about half its width."""
        under = tuple(c * 0.9 for c in rgb)
        for dx, dy, r, c in ((0.1, 0.24, 0.62, under), (-0.7, 0.14, 0.42, under), (0.72, 0.12, 0.45, under), (-0.6, 0.06, 0.4, rgb), (0, -0.12, 0.58, rgb),
                             (0.64, 0.04, 0.42, rgb)):
            self.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.6, c)

    def flowers(self, count, y0, y1, colours, size=1.7):
        """Flowers at random places between the rows y0 and y1."""
        for i, (x, y) in enumerate(zip(self.rng.uniform(LEFT, RIGHT, count), self.rng.uniform(y0, y1, count))):
            self.line([(x, y), (x, y + 3.4)], 0.6, (72, 140, 66))
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                self.ellipse(x + dx * size * 0.6, y + dy * size * 0.6, size * 0.62, size * 0.62, colours[i % len(colours)])
            self.ellipse(x, y, size * 0.5, size * 0.5, (255, 224, 96))

    def tufts(self, count, y0, y1, rgb, height=5):
        """Tufts of grass at random places between the rows y0 and y1."""
        for x, y in zip(self.rng.uniform(LEFT, RIGHT, count), self.rng.uniform(y0, y1, count)):
            for lean in (-0.5, 0, 0.5):
                self.polygon([(x - 0.9 + lean, y), (x + 0.9 + lean, y), (x + lean * height, y - height * (1.1 - abs(lean) * 0.5))], rgb)

    def house(self, x, y, width, height, wall, roof, rows=1, lit=(255, 220, 120)):
        """A house with its lower left corner at (x, y) and `rows` rows of windows, of which the last one is a door. lit: colour of the windows after dark."""
        self.rectangle(x, y - height, x + width, y, wall)
        self.rectangle(x + width * 0.82, y - height, x + width, y, tuple(c * 0.9 for c in wall))
        self.polygon([(x - width * 0.08, y - height), (x + width * 1.08, y - height), (x + width * 0.5, y - height - width * 0.42)], roof)
        self.polygon([(x + width * 0.5, y - height - width * 0.42), (x + width * 1.08, y - height), (x + width * 0.62, y - height)],
                     tuple(c * 0.85 for c in roof))
        for row in range(rows):
            top = y - height + height * (0.16 + 0.84 * row / max(rows, 1))
            for column in range(2):
                wx, w, h = x + width * (0.14 + 0.44 * column), width * 0.26, min(height / rows * 0.5, width * 0.3)
                if row == rows - 1 and column == 1:
                    self.rectangle(wx, y - min(height * 0.55, width * 0.46), wx + w, y, (116, 76, 58))
                    continue
                self.rectangle(wx - 0.9, top - 0.9, wx + w + 0.9, top + h + 0.9, (255, 250, 240))
                shine = self.dark > 0.3
                self.rectangle(wx, top, wx + w, top + h, lit if shine else (150, 206, 236), glow=shine)
                self.line([(wx + w / 2, top), (wx + w / 2, top + h)], 0.7, (255, 250, 240))
