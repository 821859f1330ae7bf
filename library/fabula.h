/* libfabula: a prompt becomes a plan, a plan becomes a film.
 *
 * Every call that can fail returns 0, or a code: the exit codes of the program `fabula` (`fabula explain CODE`). What went wrong is then
 * said by fabula_model_error(), fabula_options_error() of the handle that the call was given, in one sentence.
 *
 * There is no global state. Handles are independent: two threads may use two models at the same time. One handle is used by one thread at a
 * time; fabula_model_cancel() alone may be called from any thread. While a call runs, signals are held back from its threads.
 *
 * Texts are UTF-8 and end with a zero byte. A text that is returned belongs to its handle and is valid until the next call that is given
 * that handle. Within FABULA_API_VERSION functions are added and none is changed; structures grow at their end. */
#ifndef FABULA_H
#define FABULA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FABULA_API_VERSION 1

#if defined(__GNUC__)
#define FABULA_API __attribute__((visibility("default")))
#else
#define FABULA_API
#endif

enum fabula_code {
  FABULA_DONE = 0,
  FABULA_UNEXPECTED = 1,
  FABULA_USAGE = 2,          /* an option or an argument is wrong */
  FABULA_BAD_DATA = 65,      /* a prompt, plan, model or media file is malformed */
  FABULA_INPUT_MISSING = 66, /* a named file does not exist or cannot be read */
  FABULA_UNAVAILABLE = 69,   /* there is no such model or device */
  FABULA_INTERNAL = 70,      /* a defect in Fabula */
  FABULA_OUT_OF_MEMORY = 71,
  FABULA_CANNOT_CREATE = 73, /* the output cannot be created, or exists */
  FABULA_IO = 74,            /* reading or writing failed, the disk is full */
  FABULA_CHECK_FAILED = 76,  /* the film did not pass its own check */
  FABULA_INTERRUPTED = 130   /* fabula_model_cancel(), or a callback, has stopped the work */
};

/* The program's version, such as "0.1.0", and the FABULA_API_VERSION that the library was built with. */
FABULA_API const char* fabula_version(void);
FABULA_API int fabula_api_version(void);

/* ---- Options: the long options of `fabula render` that concern a film, by name, as the jobs of `fabula batch` have them: "seed", "steps",
 * "scale", "crf", "sampler", "loudness", "subtitles", "codec", "size", "duration", "temperature", "store", "overwrite" ... A flag's value
 * is "true". A film reuses and keeps finished shots only in the folder named by "store", and knows only the cast named by "cast". */
typedef struct fabula_options fabula_options;

/* NULL when memory is out. */
FABULA_API fabula_options* fabula_options_new(void);
FABULA_API void fabula_options_free(fabula_options* options); /* NULL is allowed, here and in the other functions that free */
/* A NULL value takes the option back. FABULA_USAGE for a name or a value that there is not. */
FABULA_API int fabula_options_set(fabula_options* options, const char* name, const char* value);
FABULA_API const char* fabula_options_error(const fabula_options* options);

/* ---- A model. */
typedef struct fabula_model fabula_model;

/* NULL when memory is out. The model is to be opened before it is used. */
FABULA_API fabula_model* fabula_model_new(void);
FABULA_API void fabula_model_free(fabula_model* model);
/* `folder`: a bundle; NULL: the one installed with the library. Of the options (which may be NULL) "precision", "threads" and "device" hold
 * from here on; later calls refuse another precision or device. */
FABULA_API int fabula_model_open(fabula_model* model, const char* folder, const fabula_options* options);
/* Of the last call that failed; "" if none has. */
FABULA_API const char* fabula_model_error(const fabula_model* model);
/* What a person should know about the last call, a sentence a line: what the model cannot show, who plays whom, how the film's sound is. */
FABULA_API const char* fabula_model_notes(const fabula_model* model);
/* Stops the call that is running, after its current step: it returns FABULA_INTERRUPTED and leaves no file behind. Where none is running,
 * the next one is stopped. */
FABULA_API void fabula_model_cancel(fabula_model* model);

/* ---- A plan, with what the model thought while it wrote or read it. It is filmed by the model that made it. */
typedef struct fabula_plan fabula_plan;

/* The plan of a prompt. *plan is NULL unless 0 is returned. */
FABULA_API int fabula_plan_write(fabula_model* model, const char* prompt, const fabula_options* options, fabula_plan** plan);
/* A plan as JSON (`fabula plan`), which may have been edited. */
FABULA_API int fabula_plan_read(fabula_model* model, const char* json, const fabula_options* options, fabula_plan** plan);
FABULA_API void fabula_plan_free(fabula_plan* plan);
FABULA_API const char* fabula_plan_json(const fabula_plan* plan);
FABULA_API size_t fabula_plan_shots(const fabula_plan* plan);
FABULA_API int fabula_plan_milliseconds(const fabula_plan* plan);

/* ---- A film. */
typedef struct fabula_progress {
  size_t size;         /* of this structure, in bytes, as the library has it */
  size_t shot, shots;  /* index of the shot in work, number of shots */
  int attempt;         /* index of the attempt at the shot */
  int step, steps;     /* of this attempt: the sampler's, then the decoder's */
  double fraction;     /* of the whole film, from 0 to 1, never falling */
  double seconds_left; /* negative: not known yet */
} fabula_progress;

/* Every member may be NULL. They are called by the thread that calls fabula_render(), one at a time, and may not use the model except
 * through fabula_model_cancel(). A callback that returns something other than 0 stops the film as fabula_model_cancel() does. */
typedef struct fabula_callbacks {
  size_t size; /* sizeof(fabula_callbacks), so that members can be added */
  void* user;  /* is given to each of them */
  int (*progress)(void* user, const fabula_progress* progress);
  /* A frame as the model makes it, in its own size and at the plan's frames a second: height rows of width RGB pixels, 8 bits each. Frames
   * of a shot come when the shot is done. */
  int (*frame)(void* user, const unsigned char* rgb, int width, int height);
  /* Sound: `count` sample frames, each a left and a right float in [-1, 1], 48,000 a second, at the model's own level. */
  int (*samples)(void* user, const float* stereo, size_t count);
} fabula_callbacks;

/* Films a plan to a file, whose ending says what it is stored as, with its receipt beside it: the bytes of `fabula render PLAN.json -o
 * FILE` with the same options. `file` may be NULL: then the film goes to the callbacks alone. An existing file is refused unless the option
 * "overwrite" is "true". */
FABULA_API int fabula_render(fabula_model* model, const fabula_plan* plan, const char* file, const fabula_options* options,
                             const fabula_callbacks* callbacks);

#ifdef __cplusplus
}
#endif

#endif
