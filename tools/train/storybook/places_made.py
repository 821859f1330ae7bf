"""Backdrops of built and exotic places: city, village, castle, room, cave, underwater, space. Painters as in places_land.py."""

import numpy as np

WALLS = ((236, 128, 108), (250, 204, 112), (122, 182, 196), (240, 156, 166), (166, 196, 128), (250, 236, 214))
ROOFS = ((150, 74, 70), (176, 106, 62), (70, 110, 136), (150, 84, 106), (96, 128, 80), (190, 88, 70))


def city(s):
    rng, far, mid, near = s.rng, s.far, s.mid, s.near
    for i in range(13):
        x, h = -94 + i * 32, (44, 60, 38, 54, 66, 42, 58, 48, 62, 40, 56, 46, 64)[i] + rng.uniform(-3, 3)
        far.rectangle(x, 90 - h, x + 26, 96, (170, 186, 214))
        for row in range(int(h // 9)):
            for column in range(3):
                shine = far.dark > 0.3 and rng.random() < 0.55
                far.rectangle(x + 3 + column * 8, 94 - h + row * 9, x + 7 + column * 8, 98 - h + row * 9, (255, 226, 140) if shine else (196, 214, 234),
                              glow=shine)
    order = rng.permutation(6)
    for i in range(8):
        k = order[i % 6]
        mid.house(-92 + i * 50 + rng.uniform(-2, 2), 92, 44, (46, 56, 42, 52, 48, 58)[k], WALLS[k], ROOFS[k], rows=2)
    near.gradient(90, 99, ((222, 216, 212), (202, 196, 196)))
    near.rectangle(-96, 98, 320, 100, (176, 172, 176))
    near.gradient(100, 144, ((130, 132, 146), (98, 100, 118)))
    for i in range(11):
        x = -90 + i * 40
        near.polygon([(x, 117), (x + 20, 117), (x + 18, 120), (x - 2, 120)], (246, 240, 214))
    for x in (-40 + rng.uniform(-4, 4), 30 + rng.uniform(-4, 4), 196 + rng.uniform(-4, 4), 270):
        near.rectangle(x - 1.2, 44, x + 1.2, 97, (74, 80, 96))
        near.polygon([(x - 5, 44), (x + 5, 44), (x + 3, 35), (x - 3, 35)], (255, 236, 160), glow=near.dark > 0.3)
        near.polygon([(x - 6, 35), (x + 6, 35), (x, 31)], (74, 80, 96))
        if near.dark > 0.3:
            for layer in (mid, near):
                layer.glow(x, 42, 40, (255, 226, 150), 0.5 * near.dark)
    x = 92 + rng.uniform(-10, 10)
    near.rectangle(x - 12, 88, x + 12, 90, (168, 112, 72))
    near.rectangle(x - 12, 83, x + 12, 85, (168, 112, 72))
    for dx in (-10, 10):
        near.rectangle(x + dx - 1, 84, x + dx + 1, 96, (86, 90, 104))


def village(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.ridge(58, [(9, 0.021, rng.uniform(0, 3))], (150, 200, 148), (132, 190, 130))
    x = 120 + rng.uniform(-30, 30)
    far.rectangle(x - 6, 36, x + 6, 66, (250, 238, 220))
    far.polygon([(x - 8, 36), (x + 8, 36), (x, 16)], (176, 84, 72))
    far.rectangle(x + 6, 50, x + 26, 66, (250, 238, 220))
    far.polygon([(x + 4, 50), (x + 28, 50), (x + 23, 42), (x + 9, 42)], (190, 92, 78))
    mid.ridge(76, [(3, 0.03, rng.uniform(0, 3))], (136, 198, 104), (112, 178, 88))
    for i in range(7):
        k = (i + int(rng.integers(6))) % 6
        x = -88 + i * 58 + rng.uniform(-5, 5)
        mid.round_tree(x + 47, 86, 26, (86, 160, 78))
        mid.house(x, 88, 38, 24, WALLS[k], (200, 86, 66))
        mid.rectangle(x + 27, 48, x + 32, 58, (176, 110, 92))
        for j in range(3):
            mid.ellipse(x + 30 + j * 3, 44 - j * 6, 2 + j, 1.6 + j, (240, 240, 244))
    near.ridge(88, [(1.5, 0.03, rng.uniform(0, 3))], (150, 208, 96), (96, 166, 70))
    near.ridge(96, [(1, 0.02, rng.uniform(0, 3))], (226, 206, 170), (204, 180, 142), 12)
    near.ridge(111, [(1, 0.03, rng.uniform(0, 3))], (136, 198, 86), (84, 152, 62))
    for x0, y0 in zip(rng.uniform(-90, 315, 40), rng.uniform(98, 109, 40)):
        near.ellipse(x0, y0, 3.2, 1.3, (214, 192, 154))
    x = 40 + rng.uniform(-8, 8)
    near.rectangle(x - 9, 84, x + 9, 96, (176, 172, 176))
    near.ellipse(x, 84, 9, 2.6, (92, 120, 150))
    near.polygon([(x - 12, 70), (x + 12, 70), (x, 60)], (188, 84, 68))
    for dx in (-8, 8):
        near.rectangle(x + dx - 1, 70, x + dx + 1, 84, (140, 98, 70))
    near.flowers(18, 113, 125, ((255, 255, 255), (250, 120, 140), (255, 206, 90)))
    fore.tufts(30, 135, 141, (80, 150, 60), 8)


def castle(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.ridge(62, [(8, 0.02, rng.uniform(0, 3))], (146, 196, 150), (128, 184, 130))
    for i in range(10):
        far.round_tree(-86 + i * 42 + rng.uniform(-5, 5), 76, 22, (104, 172, 108))
    stone, dark, x = (206, 204, 220), (178, 176, 198), 112 + rng.uniform(-12, 12)
    for dx, w, top, roof in ((-62, 22, 40, (92, 108, 190)), (62, 22, 40, (92, 108, 190)), (-30, 18, 26, (210, 90, 110)), (30, 18, 26, (210, 90, 110)),
                             (0, 26, 8, (110, 90, 190))):
        tower(mid, x + dx, 92, w, top, stone, dark, roof)
    mid.rectangle(x - 62, 56, x + 62, 94, stone)
    for i in range(16):
        mid.rectangle(x - 62 + i * 8, 51, x - 58 + i * 8, 57, stone)
    for _ in range(26):
        bx, by = x - 58 + rng.uniform(0, 112), 60 + rng.uniform(0, 26)
        mid.rectangle(bx, by, bx + 6, by + 2.6, dark)
    mid.ellipse(x, 80, 12, 14, (110, 76, 62), start=180, end=360)
    mid.rectangle(x - 12, 79, x + 12, 94, (110, 76, 62))
    for dx in (-8, -4, 0, 4, 8):
        mid.line([(x + dx, 68), (x + dx, 94)], 0.7, (84, 58, 50))
    for dx in (-40, 40):
        shine = mid.dark > 0.3
        mid.ellipse(x + dx, 68, 4, 5, (255, 220, 120) if shine else (90, 104, 150), glow=shine)
        mid.polygon([(x + dx - 4, 74), (x + dx + 4, 74), (x + dx + 4, 86), (x + dx, 90), (x + dx - 4, 86)], (216, 74, 84))
    near.ridge(90, [(1.5, 0.03, rng.uniform(0, 3))], (142, 204, 96), (88, 158, 68))
    near.polygon([(x - 11, 89), (x + 11, 89), (x + 34, 144), (x - 34, 144)], (226, 208, 176))
    for i in range(9):
        near.ellipse(-80 + i * 48 + rng.uniform(-5, 5), 94, 9, 7, (74, 152, 78))
        near.ellipse(-82 + i * 48, 92, 1.6, 1.6, (255, 140, 160))
    near.flowers(14, 112, 126, ((255, 255, 255), (250, 110, 130)))
    fore.tufts(26, 135, 141, (76, 148, 62), 8)


def tower(layer, x, y, w, top, stone, dark, roof):
    layer.rectangle(x - w / 2, top, x + w / 2, y, stone)
    layer.rectangle(x + w * 0.22, top, x + w / 2, y, dark)
    for i in range(3):
        layer.rectangle(x - w * 0.56 + i * w * 0.4, top - 5, x - w * 0.56 + i * w * 0.4 + w * 0.3, top + 2, stone)
    layer.polygon([(x - w * 0.6, top - 3), (x + w * 0.6, top - 3), (x, top - 3 - w * 1.1)], roof)
    layer.polygon([(x + w * 0.12, top - 3), (x + w * 0.6, top - 3), (x, top - 3 - w * 1.1)], tuple(c * 0.85 for c in roof))
    layer.line([(x, top - 3 - w * 1.1), (x, top - 12 - w * 1.1)], 0.8, (120, 100, 90))
    layer.polygon([(x, top - 12 - w * 1.1), (x + 8, top - 9.5 - w * 1.1), (x, top - 7 - w * 1.1)], (250, 200, 70))
    shine = layer.dark > 0.3
    layer.ellipse(x, top + 12, w * 0.13, w * 0.2, (255, 220, 120) if shine else (90, 104, 150), glow=shine)


def room(s):
    rng, far, mid, near = s.rng, s.far, s.mid, s.near
    wall = [(250, 222, 178), (206, 228, 214), (226, 212, 240), (246, 208, 204), (206, 222, 240)][int(rng.integers(5))]
    x = 70 + rng.uniform(-10, 10)
    window = (x - 24, 18, x + 24, 64)
    mid.gradient(-64, 144, (wall, tuple(c * 0.95 for c in wall)))
    stripe = tuple(min(255, c * 1.04) for c in wall)
    for i in range(26):
        mid.rectangle(-96 + i * 16, -64, -88 + i * 16, 92, stripe)
    mid.rectangle(window[0] - 3, window[1] - 3, window[2] + 3, window[3] + 3, (255, 252, 244))
    a, b = ((np.array(window) - (-96, -64, -96, -64)) * mid.scale).astype(int).reshape(2, 2)
    mid.pixels[a[1]:b[1], a[0]:b[0]] = 0  # a hole that shows the sky
    mid.rectangle(x - 1, 18, x + 1, 64, (255, 252, 244))
    mid.rectangle(x - 24, 40, x + 24, 42, (255, 252, 244))
    far.ridge(52, [(4, 0.05, rng.uniform(0, 3))], (130, 196, 120), (110, 180, 100))
    curtain = ((226, 92, 92), (92, 140, 210), (240, 170, 80), (130, 180, 110))[int(rng.integers(4))]
    for side in (-1, 1):
        mid.polygon([(x + side * 31, 12), (x + side * 14, 12), (x + side * 20, 42), (x + side * 27, 68), (x + side * 33, 68)], curtain)
    mid.rectangle(x - 34, 9, x + 34, 12, (150, 104, 72))
    mid.rectangle(142, 20, 172, 42, (164, 112, 74))
    mid.rectangle(144, 22, 170, 40, (150, 206, 236))
    mid.polygon([(144, 40), (154, 28), (162, 36), (166, 32), (170, 40)], (104, 176, 96))
    mid.rectangle(190, 30, 226, 92, (158, 104, 70))
    for row in range(3):
        mid.rectangle(193, 34 + row * 19, 223, 49 + row * 19, (120, 78, 56))
        at = 194
        while at < 219:
            w, h = rng.uniform(2.5, 5), rng.uniform(8, 14)
            mid.rectangle(at, 49 + row * 19 - h, at + w, 49 + row * 19, WALLS[int(rng.integers(6))])
            at += w + 0.6
    mid.house(-60, 92, 44, 40, (176, 96, 80), (150, 80, 70))
    near.gradient(90, 144, ((196, 140, 92), (160, 108, 70)))
    near.rectangle(-96, 88, 320, 91, (250, 244, 232))
    for i in range(22):
        bx = -96 + i * 20
        near.line([(bx, 91), (112 + (bx - 112) * 1.7, 144)], 0.6, (150, 100, 64))
    rug = ((196, 80, 90), (90, 130, 190), (120, 160, 110))[int(rng.integers(3))]
    near.ellipse(112, 108, 74, 11, rug)
    near.ellipse(112, 108, 64, 8.4, tuple(min(255, c * 1.3) for c in rug))
    near.ellipse(112, 108, 56, 6.6, rug)
    lamp = 126 + rng.uniform(-3, 3)
    near.rectangle(lamp - 1, 58, lamp + 1, 92, (120, 90, 70))
    near.polygon([(lamp - 9, 60), (lamp + 9, 60), (lamp + 5, 46), (lamp - 5, 46)], (255, 232, 160), glow=near.dark > 0.05)
    if near.dark > 0.05:
        for layer in (mid, near):
            layer.glow(lamp, 56, 64, (255, 220, 150), 0.45)


def cave(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.haze = mid.haze = 0
    far.gradient(-64, 144, ((44, 36, 74), (72, 58, 110), (96, 76, 130)))
    for i in range(12):
        x = -90 + i * 36 + rng.uniform(-8, 8)
        far.polygon([(x - 12, -64), (x + 12, -64), (x, 20 + rng.uniform(-12, 26))], (58, 48, 90))
        far.polygon([(x + 6, 144), (x + 34, 144), (x + 20, 66 + rng.uniform(-10, 8))], (66, 54, 100))
    for i in range(9):
        x = -84 + i * 50 + rng.uniform(-8, 8)
        mid.polygon([(x - 16, -64), (x + 18, -64), (x + 3, 24 + rng.uniform(-22, 16))], (92, 76, 116))
        mid.polygon([(x + 2, -64), (x + 18, -64), (x + 3, 20)], (76, 62, 100))
    mid.ridge(82, [(4, 0.05, rng.uniform(0, 3))], (104, 88, 126), (86, 70, 108))
    near.ridge(90, [(2, 0.04, rng.uniform(0, 3))], (148, 126, 158), (98, 82, 118))
    colours = ((90, 230, 250), (250, 130, 220), (150, 250, 150), (250, 220, 110))
    for i, x in enumerate((-70, -20, 22, 64, 168, 208, 262)):
        x, c = x + rng.uniform(-9, 9), colours[(i + int(rng.integers(2))) % 4]
        for layer in (far, mid, near):
            layer.glow(x, 86, 38, c, 0.42)
        for dx, h, lean in ((-5, 14, -4), (0, 24, 0), (6, 17, 5)):
            near.polygon([(x + dx - 3, 97), (x + dx + 3, 97), (x + dx + 2.4 + lean * 0.8, 97 - h * 0.8), (x + dx + lean, 97 - h),
                          (x + dx - 2.4 + lean * 0.8, 97 - h * 0.8)], c, glow=True)
            near.polygon([(x + dx, 97), (x + dx + 3, 97), (x + dx + 2.4 + lean * 0.8, 97 - h * 0.8), (x + dx + lean, 97 - h)], tuple(v * 0.75 for v in c),
                         glow=True)
    for x, y in zip(rng.uniform(-90, 310, 14), rng.uniform(112, 126, 14)):
        near.ellipse(x, y, 5, 2.2, (120, 102, 136))
    fore.ridge(137, [(4, 0.05, rng.uniform(0, 3))], (74, 60, 94), (58, 46, 78))


def underwater(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    s.sky.gradient(-64, 144, ((120, 220, 236), (60, 170, 220), (30, 110, 186), (22, 84, 158)))
    shafts = s.sky.pixels.copy()
    for i in range(7):  # light from above
        x = -60 + i * 56 + rng.uniform(-14, 14)
        s.sky.polygon([(x, -64), (x + 12, -64), (x - 14, 120), (x - 52, 120)], (170, 232, 246))
    fade = np.linspace(0.45, 0.0, len(shafts))[:, None, None]  # the light fades downwards
    s.sky.pixels[...] = shafts + (s.sky.pixels.astype(np.float32) - shafts) * fade
    far.haze = mid.haze = 0
    far.ridge(80, [(9, 0.03, rng.uniform(0, 3)), (3, 0.1, 0)], (40, 120, 176), (34, 104, 160))
    for i in range(8):
        x = -86 + i * 52 + rng.uniform(-8, 8)
        far.polygon([(x - 9, 96), (x - 6, 60 + rng.uniform(-8, 8)), (x + 3, 56), (x + 10, 96)], (48, 128, 178))
    mid.ridge(88, [(3, 0.04, rng.uniform(0, 3))], (96, 160, 176), (70, 130, 160))
    corals = ((250, 120, 130), (252, 170, 90), (210, 120, 220), (250, 220, 120))
    for i in range(10):
        x, c = -86 + i * 42 + rng.uniform(-8, 8), corals[i % 4]
        if i % 3 == 0:
            weed(mid, x, 94, rng.uniform(30, 48), (60, 160, 110))
        else:
            for dx, h in ((-6, 12), (-2, 19), (3, 15), (7, 10)):
                mid.line([(x, 95), (x + dx * 0.6, 95 - h * 0.6), (x + dx, 95 - h)], 3.2, c)
    near.ridge(96, [(2, 0.03, rng.uniform(0, 3))], (240, 222, 170), (190, 176, 146))
    for x in (-58, 4 + rng.uniform(-6, 6), 218 + rng.uniform(-6, 6), 290):
        weed(near, x, 103, rng.uniform(44, 62), (54, 156, 96))
        weed(near, x + 8, 104, rng.uniform(26, 40), (86, 184, 106))
    for x in (40 + rng.uniform(-8, 8), 180 + rng.uniform(-8, 8)):
        near.ellipse(x, 101, 11, 7, (140, 140, 160), start=180, end=360)
        near.ellipse(x + 2, 101, 8, 4, (120, 120, 142), start=180, end=360)
    for x, y in zip(rng.uniform(-80, 310, 9), rng.uniform(112, 126, 9)):
        for k in range(5):
            turn = k * 2 * np.pi / 5
            near.ellipse(x + 2.2 * np.cos(turn), y + 1.2 * np.sin(turn), 1.6, 1.0, (250, 130, 100) if int(x) % 2 else (250, 190, 200))
    for x in (-30, 250):
        weed(fore, x + rng.uniform(-8, 8), 144, 50, (36, 116, 84))


def weed(layer, x, y, height, rgb):
    left, right = [], []
    for i in range(9):
        t = i / 8
        sway, half = np.sin(t * 6 + x) * 4 * t, 2.6 * (1 - t) + 0.3
        left.append((x + sway - half, y - height * t))
        right.append((x + sway + half, y - height * t))
    layer.polygon(left + right[::-1], rgb)


def space(s):
    rng, far, mid, near = s.rng, s.far, s.mid, s.near
    for x, y, r, c in ((40, 30, 70, (120, 70, 190)), (180, 80, 80, (40, 100, 190)), (120, 10, 60, (200, 80, 150)), (250, 20, 60, (60, 130, 170))):
        s.sky.glow(x + rng.uniform(-20, 20), y + rng.uniform(-10, 10), r, c, 0.55)
    s.stars(150)
    x, y = 46 + rng.uniform(-14, 14), 32 + rng.uniform(-6, 6)
    planet(far, x, y, 20, ((240, 170, 90), (220, 130, 80), (250, 206, 130)))
    far.ellipse(x, y + 1, 36, 6, (236, 214, 170), glow=True, turn=-14, start=0, end=180)
    far.ellipse(x, y - 0.5, 30, 4, (220, 130, 80), glow=True, turn=-14, start=0, end=180)
    planet(far, 184 + rng.uniform(-12, 12), 84 + rng.uniform(-6, 6), 13, ((110, 190, 230), (80, 150, 210), (150, 220, 240)))
    planet(mid, 196 + rng.uniform(-12, 12), 22 + rng.uniform(-5, 5), 8, ((230, 120, 140), (200, 90, 120), (250, 160, 170)))
    for x, y, r in ((-50, 40, 6), (90 + rng.uniform(-9, 9), 112, 7), (14, 104, 5), (268, 60, 8), (150, 60, 3.4)):
        mid.ellipse(x, y, r, r * 0.8, (146, 136, 140), glow=True, turn=20)
        mid.ellipse(x - r * 0.3, y - r * 0.2, r * 0.3, r * 0.22, (112, 104, 112), glow=True)
    x = 132 + rng.uniform(-14, 14)
    near.line([(x, 20), (x - 30, 6)], 1, (255, 255, 230), glow=True)
    near.ellipse(x, 20, 1.8, 1.8, (255, 255, 230), glow=True)


def planet(layer, x, y, r, colours):
    layer.ellipse(x, y, r, r, colours[0], glow=True)
    layer.ellipse(x, y + r * 0.4, r * 0.88, r * 0.2, colours[1], glow=True)
    layer.ellipse(x, y - r * 0.2, r * 0.95, r * 0.16, colours[1], glow=True)
    layer.ellipse(x - r * 0.3, y - r * 0.5, r * 0.4, r * 0.2, colours[2], glow=True)
