"""The effect of time of day and weather on colours."""

# Sky colours from zenith to horizon.
SKIES = {"dawn": ((120, 142, 212), (214, 176, 206), (255, 214, 178)), "day": ((92, 178, 240), (160, 214, 246), (226, 242, 246)),
         "dusk": ((70, 62, 138), (222, 108, 118), (255, 190, 112)), "night": ((12, 18, 58), (30, 42, 96), (66, 80, 142))}
# Change of daylight colours at other times: RGB factors and offsets.
TIMES = {"day": ((1, 1, 1), (0, 0, 0)), "dawn": ((0.94, 0.86, 0.88), (14, 6, 12)), "dusk": ((0.88, 0.68, 0.70), (18, 4, 12)),
         "night": ((0.33, 0.39, 0.50), (6, 10, 32))}
ACTORS = {"day": (1, 1, 1), "dawn": (1.0, 0.93, 0.92), "dusk": (1.0, 0.84, 0.80), "night": (0.76, 0.79, 1.0)}  # actors stay readable at night
# Fading towards a veil colour, that colour, and the remaining brightness.
WEATHERS = {"clear": (0.0, (128, 128, 128), 1.0), "rain": (0.30, (136, 150, 168), 0.86), "snow": (0.20, (226, 232, 244), 0.97),
            "fog": (0.30, (206, 212, 218), 0.98), "storm": (0.42, (84, 92, 118), 0.72)}
DARK = {"dawn": 0.1, "day": 0.0, "dusk": 0.45, "night": 1.0}  # lamps and windows shine when it is dark


def grade(rgb, time, weather="clear", haze=0.0):
    """A daylight colour under another time and weather: [r, g, b] of 0 … 255. haze: 0 near … 1 far."""
    factor, offset = TIMES[time]
    fade, veil, left = WEATHERS[weather]
    fade *= 1 + haze
    result = []
    for c, far, f, o, v in zip(rgb, SKIES["day"][2], factor, offset, veil):
        c = (c + haze * (far - c)) * f + o
        c = (c + fade * (v * f + o - c)) * left
        result.append(min(255.0, max(0.0, float(c))))
    return result


def on_actors(time, weather, lamp=False):
    """RGB factors for actors and props; a lamp gives warm light after dark."""
    if lamp and DARK[time] > 0.3:
        return (0.97, 0.90, 0.80)
    left = {"clear": 1.0, "rain": 0.9, "snow": 1.0, "fog": 0.98, "storm": 0.88}[weather]
    return tuple(round(v * left, 3) for v in ACTORS[time])
