"""Plans and films a prompt with libfabula through ctypes. Ctrl-C stops after the current step.

python3 film.py "A fox runs in the forest." fox.mp4 [NAME=VALUE ...]
FABULA_LIBRARY: path of the library, default the installed libfabula.so.1.
FABULA_MODEL: a bundle's folder, default the one installed with the library.
"""
import ctypes
import json
import os
import sys
import threading
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_size_t, c_ubyte, c_void_p


class Progress(ctypes.Structure):
    """struct fabula_progress of fabula.h."""

    _fields_ = [("size", c_size_t), ("shot", c_size_t), ("shots", c_size_t), ("attempt", c_int), ("step", c_int), ("steps", c_int),
                ("fraction", c_double), ("seconds_left", c_double)]


OnProgress = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(Progress))
OnFrame = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(c_ubyte), c_int, c_int)
OnSamples = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(c_float), c_size_t)


class Callbacks(ctypes.Structure):
    """struct fabula_callbacks of fabula.h."""

    _fields_ = [("size", c_size_t), ("user", c_void_p), ("progress", OnProgress), ("frame", OnFrame), ("samples", OnSamples)]


def load():
    """Loads the library and declares its signatures; ctypes assumes int where none is declared. Exits if its API version is not 1."""
    fabula = ctypes.CDLL(os.environ.get("FABULA_LIBRARY", "libfabula.so.1"))
    for name in ("version", "options_error", "model_error", "model_notes", "plan_json"):
        getattr(fabula, "fabula_" + name).restype = c_char_p
    for name in ("options_new", "model_new"):
        getattr(fabula, "fabula_" + name).restype = c_void_p
    fabula.fabula_options_set.argtypes = [c_void_p, c_char_p, c_char_p]
    fabula.fabula_model_open.argtypes = [c_void_p, c_char_p, c_void_p]
    fabula.fabula_plan_write.argtypes = [c_void_p, c_char_p, c_void_p, POINTER(c_void_p)]
    fabula.fabula_render.argtypes = [c_void_p, c_void_p, c_char_p, c_void_p, POINTER(Callbacks)]
    for name in ("options_error", "options_free", "model_error", "model_notes", "model_free", "model_cancel", "plan_free", "plan_json"):
        getattr(fabula, "fabula_" + name).argtypes = [c_void_p]
    if fabula.fabula_api_version() != 1:
        sys.exit("film.py: this library has another API")
    return fabula


def film(fabula, model, options, prompt, file):
    """Plans the prompt and films the plan. Returns the code of the call that failed, or 0."""
    plan = c_void_p()
    frames = []

    # A callback that returns something other than 0 stops the film.
    def progress(_, at):
        print(f"\r{at[0].fraction:4.0%}  shot {at[0].shot + 1} of {at[0].shots}", end="", file=sys.stderr)
        return 0

    def frame(_, rgb, width, height):
        frames.append((width, height))  # rgb[:3 * width * height] are the pixels
        return 0

    callbacks = Callbacks(ctypes.sizeof(Callbacks), None, OnProgress(progress), OnFrame(frame), OnSamples())
    code = (fabula.fabula_model_open(model, os.environ.get("FABULA_MODEL", "").encode() or None, options)
            or fabula.fabula_plan_write(model, prompt.encode(), options, ctypes.byref(plan))
            or fabula.fabula_render(model, plan, file.encode(), options, ctypes.byref(callbacks)))
    if code:
        print("\nfilm.py: " + fabula.fabula_model_error(model).decode(), file=sys.stderr)
    else:
        title = json.loads(fabula.fabula_plan_json(plan))["title"]
        print(f"{file}: {title}, {len(frames)} frames of {frames[0][0]} x {frames[0][1]}")
    fabula.fabula_plan_free(plan)
    return code


def main(prompt, file, *given):
    """Sets the options and films in a thread of its own. Returns the code of `film`."""
    fabula = load()
    options, model = fabula.fabula_options_new(), fabula.fabula_model_new()
    for option in given:
        name, _, value = option.partition("=")
        if fabula.fabula_options_set(options, name.encode(), (value or "true").encode()):
            sys.exit("film.py: " + fabula.fabula_options_error(options).decode())
    # The library blocks signals in the thread that calls it. The film is made in another thread, so that Ctrl-C reaches this one.
    codes = []
    work = threading.Thread(target=lambda: codes.append(film(fabula, model, options, prompt, file)))
    work.start()
    while work.is_alive():
        try:
            work.join()
        except KeyboardInterrupt:
            fabula.fabula_model_cancel(model)
    fabula.fabula_model_free(model)
    fabula.fabula_options_free(options)
    return codes[0]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
