/* Films a prompt with libfabula: plans it, edits nothing, films the plan, shows how far it is.
 *   cc film.c $(pkg-config --cflags --libs fabula) -o film && ./film "A fox runs in the forest." fox.mp4 [NAME=VALUE ...] */
#include <fabula.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heard {
  unsigned long frames, samples;
};

static int on_progress(void* user, const fabula_progress* at) {
  (void)user;
  fprintf(stderr, "\r%3d %%  shot %lu of %lu", (int)(at->fraction * 100.0), (unsigned long)at->shot + 1, (unsigned long)at->shots);
  if (at->seconds_left >= 0.0) fprintf(stderr, ", %.0f s left ", at->seconds_left);
  return 0; /* anything else stops the film */
}

static int on_frame(void* user, const unsigned char* rgb, int width, int height) {
  (void)rgb;
  (void)width;
  (void)height;
  ++((struct heard*)user)->frames;
  return 0;
}

static int on_samples(void* user, const float* stereo, size_t count) {
  (void)stereo;
  ((struct heard*)user)->samples += (unsigned long)count;
  return 0;
}

/* Reads "steps=2". */
static int set_option(fabula_options* options, const char* given) {
  char name[64];
  const char* sign = strchr(given, '=');
  const size_t length = sign == NULL ? strlen(given) : (size_t)(sign - given);
  if (length >= sizeof name) return FABULA_USAGE;
  memcpy(name, given, length);
  name[length] = '\0';
  return fabula_options_set(options, name, sign == NULL ? "true" : sign + 1);
}

static int film(fabula_model* model, fabula_options* options, const char* prompt, const char* file) {
  fabula_plan* plan = NULL;
  fabula_callbacks callbacks;
  struct heard heard = {0, 0};
  int code = fabula_model_open(model, getenv("FABULA_MODEL"), options);
  if (code == FABULA_DONE) code = fabula_plan_write(model, prompt, options, &plan);
  if (code == FABULA_DONE) {
    fprintf(stderr, "%s", fabula_model_notes(model));
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.size = sizeof callbacks;
    callbacks.user = &heard;
    callbacks.progress = on_progress;
    callbacks.frame = on_frame;
    callbacks.samples = on_samples;
    code = fabula_render(model, plan, file, options, &callbacks);
  }
  if (code == FABULA_DONE)
    printf("%s: %lu shots, %lu frames, %.2f s of sound\n", file, (unsigned long)fabula_plan_shots(plan), heard.frames,
           (double)heard.samples / 48000.0);
  else
    fprintf(stderr, "\nfilm: %s\n", fabula_model_error(model));
  fabula_plan_free(plan);
  return code;
}

int main(int argc, char** argv) {
  fabula_options* options = fabula_options_new();
  fabula_model* model = fabula_model_new();
  int code = FABULA_DONE, i;
  if (fabula_api_version() != FABULA_API_VERSION || options == NULL || model == NULL) return FABULA_UNAVAILABLE;
  if (argc < 3) {
    fprintf(stderr, "usage: film PROMPT FILE [NAME=VALUE ...]\n");
    code = FABULA_USAGE;
  }
  for (i = 3; i < argc && code == FABULA_DONE; ++i) {
    code = set_option(options, argv[i]);
    if (code != FABULA_DONE) fprintf(stderr, "film: %s\n", fabula_options_error(options));
  }
  if (code == FABULA_DONE) code = film(model, options, argv[1], argv[2]);
  fabula_model_free(model);
  fabula_options_free(options);
  return code;
}
