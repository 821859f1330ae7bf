"""Backdrops of the open country: forest, beach, desert, snow, meadow, mountains, moon.

A painter takes the `scenery.Scene`; coordinates are units of brush.py. The smaller things are painted onto a layer with their foot at (x, y).
"""


def forest(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.ridge(58, [(7, 0.024, rng.uniform(0, 2))], (150, 202, 158), (140, 190, 140))
    for i in range(17):
        far.pine(-90 + i * 25 + rng.uniform(-4, 4), 78, rng.uniform(34, 46), (96, 168, 122))
    mid.ridge(74, [(3, 0.03, 2 + rng.uniform(0, 2))], (110, 178, 100), (92, 160, 86))
    for i in range(11):
        mid.round_tree(-84 + i * 39 + rng.uniform(-6, 6), 88, rng.uniform(38, 48), ((74, 150, 82), (92, 164, 78), (64, 140, 88))[i % 3])
    near.ridge(88, [(2, 0.02, rng.uniform(0, 2))], (128, 194, 86), (66, 134, 60))
    near.ridge(97, [(1.2, 0.02, rng.uniform(0, 2))], (206, 176, 122), (182, 148, 98), 10)
    near.ridge(110, [(1.5, 0.022, rng.uniform(0, 2))], (112, 178, 76), (60, 126, 56))
    for x in (-62, 10, 214, 286):
        near.round_tree(x + rng.uniform(-4, 4), 96, rng.uniform(66, 76), (54, 126, 66), fruit=(232, 72, 60) if x == 214 else None)
    for x in (52 + rng.uniform(-8, 8), 170 + rng.uniform(-8, 8)):
        near.polygon([(x - 1.5, 88), (x + 1.5, 88), (x + 2, 95), (x - 2, 95)], (248, 238, 218))
        near.ellipse(x, 88, 5.4, 3.8, (222, 72, 58), start=180, end=360)
        near.ellipse(x - 2, 86.6, 0.9, 0.8, (255, 255, 255))
        near.ellipse(x + 1.6, 86, 0.9, 0.8, (255, 255, 255))
    near.flowers(16, 113, 126, ((255, 255, 255), (255, 190, 205), (190, 170, 250)))
    fore.tufts(40, 134, 140, (54, 118, 52), 9)


def beach(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.gradient(52, 144, ((34, 126, 192), (70, 178, 212), (110, 210, 216)))
    far.ellipse(30 + rng.uniform(-14, 14), 53, 40, 9, (126, 178, 148), start=180, end=360)
    x = 150 + rng.uniform(-30, 30)
    far.polygon([(x - 10, 58), (x + 10, 58), (x + 6, 63), (x - 6, 63)], (170, 90, 66))
    far.polygon([(x, 38), (x, 57), (x + 10, 57)], (255, 252, 244))
    far.polygon([(x - 1.5, 41), (x - 1.5, 57), (x - 8, 57)], (244, 120, 104))
    mid.ridge(70, [(1.2, 0.09, rng.uniform(0, 2))], (72, 182, 210), (126, 222, 218), 24)
    for y in (74, 79, 84):
        for i in range(9):
            mid.ellipse(-90 + i * 48 + (y * 7) % 40 + rng.uniform(-6, 6), y, 11, 0.8, (214, 246, 246))
    near.ridge(87, [(2, 0.025, rng.uniform(0, 2))], (240, 252, 250), (240, 252, 250))
    near.ridge(89.5, [(2, 0.025, rng.uniform(0, 2))], (252, 230, 174), (228, 190, 120))
    for x, lean in ((-6 + rng.uniform(-4, 4), 1), (236 + rng.uniform(-4, 4), -1)):
        palm(near, x, 106, lean)
    for x, y in zip(rng.uniform(-80, 310, 12), rng.uniform(110, 126, 12)):
        near.ellipse(x, y, 2.2, 1.5, ((255, 180, 160), (255, 250, 240), (240, 160, 190))[int(x) % 3])
    x = 176 + rng.uniform(-12, 12)
    near.polygon([(x - 12, 96), (x + 12, 96), (x + 9, 87), (x - 9, 87)], (238, 204, 138))
    for dx in (-7, 0, 7):
        near.rectangle(x + dx - 3, 80, x + dx + 3, 89, (244, 212, 148))
        near.polygon([(x + dx - 3.6, 80), (x + dx + 3.6, 80), (x + dx, 74)], (232, 122, 104))
    fore.tufts(14, 136, 142, (150, 172, 96), 10)


def palm(layer, x, y, lean):
    layer.polygon([(x - 4, y), (x + 4, y), (x + 8 * lean, y - 36), (x + 14 * lean + 2, y - 62), (x + 14 * lean - 2, y - 62), (x + 4 * lean - 2, y - 36)],
                  (168, 118, 74))
    top = (x + 14 * lean, y - 63)
    for dx, dy, green in ((-32, 8, 0.9), (32, 6, 0.9), (-28, -10, 1), (28, -12, 1), (-14, -20, 1.1), (15, -20, 1.1), (-20, 20, 0.85), (22, 20, 0.85)):
        tip = (top[0] + dx, top[1] + dy + 6)
        middle = (top[0] + dx * 0.55, top[1] + dy - 3)
        layer.polygon([top, middle, tip, (middle[0], middle[1] + 6), (top[0], top[1] + 3)], (60 * green, 160 * green, 84 * green))
    for dx in (-3, 3):
        layer.ellipse(top[0] + dx, top[1] + 4, 3, 3, (126, 84, 52))


def desert(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    for x, w, h in ((40 + rng.uniform(-14, 14), 54, 38), (180 + rng.uniform(-14, 14), 40, 30), (-50, 44, 26), (280, 46, 34)):
        far.polygon([(x - w / 2, 82), (x - w * 0.36, 80 - h), (x + w * 0.36, 80 - h), (x + w / 2, 82)], (206, 112, 76))
        far.polygon([(x + w * 0.1, 82), (x + w * 0.16, 80 - h), (x + w * 0.36, 80 - h), (x + w / 2, 82)], (182, 92, 64))
        far.polygon([(x - w * 0.42, 80 - h * 0.5), (x + w * 0.42, 80 - h * 0.5), (x + w * 0.44, 84 - h * 0.5), (x - w * 0.44, 84 - h * 0.5)], (228, 140, 94))
    far.ridge(74, [(5, 0.018, 1 + rng.uniform(0, 2))], (240, 178, 108), (224, 150, 84))
    for x, h in ((120 + rng.uniform(-20, 20), 26), (146 + rng.uniform(-8, 8), 17)):
        mid.polygon([(x - h * 1.1, 84), (x, 84 - h), (x + h * 1.1, 84)], (232, 184, 112))
        mid.polygon([(x, 84 - h), (x + h * 1.1, 84), (x + h * 0.25, 84)], (196, 144, 84))
    mid.ridge(82, [(4, 0.026, 3 + rng.uniform(0, 2))], (248, 196, 122), (228, 158, 88))
    near.ridge(91, [(3, 0.021, rng.uniform(0, 2))], (254, 212, 138), (222, 150, 80))
    near.ridge(112, [(2, 0.03, rng.uniform(0, 2))], (246, 198, 120), (214, 140, 74))
    for x, size in ((8 + rng.uniform(-6, 6), 1.0), (206 + rng.uniform(-6, 6), 0.8), (-60, 0.9), (284, 1.0)):
        cactus(near, x, 101, size)
    for x, y in zip(rng.uniform(-80, 310, 9), rng.uniform(112, 126, 9)):
        near.ellipse(x, y, 4, 2, (198, 126, 80))
    fore.ridge(138, [(3, 0.03, rng.uniform(0, 2))], (240, 184, 108), (214, 144, 78))


def cactus(layer, x, y, size):
    green, shade = (86, 152, 96), (66, 126, 80)
    for width, colour in ((5, green),):
        layer.rectangle(x - width * size, y - 40 * size, x + width * size, y, colour)
        layer.ellipse(x, y - 40 * size, width * size, width * size, colour)
        for side, low in ((-1, 18), (1, 25)):
            layer.rectangle(min(x, x + side * 14 * size), y - low * size, max(x, x + side * 14 * size), y - (low - 6) * size, colour)
            layer.rectangle(x + side * 14 * size - 3 * size, y - (low + 12) * size, x + side * 14 * size + 3 * size, y - (low - 6) * size, colour)
            layer.ellipse(x + side * 14 * size, y - (low + 12) * size, 3 * size, 3 * size, colour)
    layer.rectangle(x + 1.6 * size, y - 38 * size, x + 3 * size, y, shade)
    layer.ellipse(x, y - 46 * size, 3 * size, 2.4 * size, (244, 116, 160))


def snow(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    for x, w, h in ((-40, 120, 56), (30, 110, 50), (110, 110, 66), (196, 130, 58), (280, 110, 62)):
        x += rng.uniform(-8, 8)
        peak(far, x, 84, w, h, (138, 160, 194), (112, 136, 178))
    mid.ridge(76, [(4, 0.022, rng.uniform(0, 2))], (230, 240, 250), (208, 224, 242))
    for i in range(12):
        mid.pine(-90 + i * 36 + rng.uniform(-5, 5), 88, rng.uniform(24, 34), (74, 130, 124), (240, 246, 252))
    near.ridge(88, [(3, 0.018, 2 + rng.uniform(0, 2))], (250, 252, 255), (198, 216, 240))
    near.ridge(112, [(2, 0.03, rng.uniform(0, 2))], (244, 248, 255), (206, 222, 244))
    for x in (-64, 4, 222, 292):
        near.pine(x + rng.uniform(-5, 5), 102, rng.uniform(54, 66), (62, 118, 112), (246, 250, 255))
    x = 66 + rng.uniform(-10, 10)
    near.house(x - 12, 92, 24, 12, (168, 112, 78), (238, 244, 252))
    fore.ridge(137, [(3, 0.04, rng.uniform(0, 2))], (246, 250, 255), (214, 228, 246))


def peak(layer, x, y, w, h, left, right, cap=(252, 253, 255)):
    layer.polygon([(x - w / 2, y), (x, y - h), (x + w / 2, y)], left)
    layer.polygon([(x, y), (x, y - h), (x + w / 2, y)], right)
    layer.polygon([(x - w * 0.17, y - h * 0.66), (x, y - h), (x + w * 0.17, y - h * 0.66), (x + w * 0.07, y - h * 0.58), (x, y - h * 0.7),
                   (x - w * 0.07, y - h * 0.58)], cap)


def meadow(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    far.ridge(60, [(8, 0.02, rng.uniform(0, 3)), (3, 0.05, 0)], (150, 206, 150), (138, 198, 132))
    mid.ridge(72, [(6, 0.023, rng.uniform(0, 3))], (138, 206, 104), (118, 188, 90))
    x = 168 + rng.uniform(-30, 30)
    windmill(mid, x, 72)
    for i in range(7):
        mid.ellipse(-70 + i * 60 + rng.uniform(-9, 9), 80 + rng.uniform(-2, 2), 10, 6, (88, 166, 82))
    near.ridge(86, [(2, 0.022, rng.uniform(0, 3))], (152, 214, 92), (88, 164, 66))
    for i in range(30):  # the posts of a fence
        fx = -94 + i * 14
        near.rectangle(fx, 80, fx + 2.4, 91, (250, 246, 236))
    near.rectangle(LEFT_EDGE, 82.4, RIGHT_EDGE, 84.2, (246, 240, 228))
    near.rectangle(LEFT_EDGE, 87, RIGHT_EDGE, 88.8, (240, 232, 218))
    near.flowers(22, 91, 98, ((255, 120, 130), (255, 255, 255), (255, 206, 90), (190, 140, 240)))
    near.flowers(26, 110, 126, ((255, 255, 255), (250, 110, 130), (160, 130, 250)), 2.1)
    near.round_tree(-34 + rng.uniform(-6, 6), 98, 70, (86, 168, 76), fruit=(255, 150, 170))
    near.round_tree(258 + rng.uniform(-6, 6), 98, 64, (94, 176, 80))
    fore.tufts(46, 134, 141, (80, 158, 62), 9)


LEFT_EDGE, RIGHT_EDGE = -96, 320


def windmill(layer, x, y):
    layer.polygon([(x - 8, y + 2), (x + 8, y + 2), (x + 5, y - 24), (x - 5, y - 24)], (250, 240, 222))
    layer.polygon([(x - 6, y - 24), (x + 6, y - 24), (x, y - 32)], (204, 86, 72))
    layer.rectangle(x - 2, y - 6, x + 2, y + 2, (140, 96, 70))
    for dx, dy in ((15, -9), (-15, 9), (9, 15), (-9, -15)):
        cx, cy = x, y - 25
        layer.line([(cx, cy), (cx + dx, cy + dy)], 1.2, (150, 106, 80))
        layer.polygon([(cx + dx * 0.25, cy + dy * 0.25), (cx + dx, cy + dy), (cx + dx - dy * 0.3, cy + dy + dx * 0.3),
                       (cx + dx * 0.25 - dy * 0.3, cy + dy * 0.25 + dx * 0.3)], (255, 252, 244))


def mountains(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    for x, w, h in ((-60, 150, 62), (20, 130, 70), (120, 150, 78), (210, 130, 66), (300, 140, 74)):
        peak(far, x + rng.uniform(-9, 9), 92, w, h, (128, 150, 186), (104, 126, 168))
    mid.ridge(76, [(8, 0.03, rng.uniform(0, 3)), (3, 0.08, 1)], (118, 180, 104), (94, 158, 90))
    for i in range(16):
        mid.pine(-92 + i * 26 + rng.uniform(-4, 4), 88 + rng.uniform(-2, 2), rng.uniform(18, 26), (58, 128, 92))
    near.ridge(88, [(3, 0.03, rng.uniform(0, 3))], (146, 204, 98), (82, 150, 66))
    for x, size in ((-44, 1.1), (14 + rng.uniform(-8, 8), 0.9), (214 + rng.uniform(-8, 8), 1.2), (282, 1)):
        near.polygon([(x - 16 * size, 101), (x - 11 * size, 86), (x - 2 * size, 80), (x + 8 * size, 84), (x + 15 * size, 101)], (150, 152, 164))
        near.polygon([(x - 2 * size, 80), (x + 8 * size, 84), (x + 15 * size, 101), (x + 3 * size, 101)], (122, 124, 140))
    x = 150 + rng.uniform(-20, 20)
    near.house(x - 11, 92, 22, 11, (188, 130, 86), (120, 78, 62))
    near.flowers(18, 110, 125, ((255, 255, 255), (120, 140, 250), (255, 214, 90)))
    fore.tufts(34, 135, 141, (76, 146, 60), 8)


def moon(s):
    rng, far, mid, near, fore = s.rng, s.far, s.mid, s.near, s.fore
    x, y = 56 + rng.uniform(-10, 10), 30 + rng.uniform(-4, 4)
    s.sky.glow(x, y, 40, (90, 140, 220), 0.6)
    s.sky.ellipse(x, y, 19, 19, (64, 144, 226), glow=True)
    for dx, dy, rx, ry in ((-7, -4, 7, 5.5), (6, 6, 6.5, 5), (4, -10, 4, 2.4)):
        s.sky.ellipse(x + dx, y + dy, rx, ry, (96, 190, 110), glow=True)
    s.sky.ellipse(x + 2, y - 15, 7, 2.2, (244, 250, 255), glow=True)
    far.ridge(74, [(6, 0.03, 1 + rng.uniform(0, 2)), (2.5, 0.07, 0)], (128, 128, 148), (112, 112, 132))
    mid.ridge(81, [(4, 0.025, rng.uniform(0, 3)), (1.5, 0.09, 0)], (160, 160, 176), (136, 136, 154))
    near.ridge(89, [(2.5, 0.02, 2 + rng.uniform(0, 2))], (210, 210, 220), (150, 150, 168))
    for cx, cy, r in ((6, 97, 15), (196, 98, 18), (112, 117, 21), (48, 121, 11), (222, 120, 13), (-60, 110, 18), (284, 108, 16)):
        cx += rng.uniform(-6, 6)
        near.ellipse(cx, cy, r, r * 0.32, (230, 230, 238))
        near.ellipse(cx, cy + 1, r * 0.88, r * 0.25, (134, 134, 152))
    x = 160 + rng.uniform(-16, 16)
    near.line([(x, 94), (x, 66)], 1.2, (224, 224, 230))
    near.polygon([(x, 66), (x + 15, 67.5), (x + 14, 75), (x, 74)], (238, 92, 84))
    fore.ridge(138, [(3, 0.05, rng.uniform(0, 3))], (170, 170, 186), (140, 140, 158))
