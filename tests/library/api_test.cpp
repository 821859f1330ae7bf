// libfabula as a program of somebody else's uses it: through fabula.h alone.
#include "library/fabula.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

const std::string model_folder = fs::path(FABULA_SOURCE_DIR) / "assets/models/nano";
const char* const prompt = "In one shot a pig jumps.";

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Free {
  void operator()(fabula_options* options) const { fabula_options_free(options); }
  void operator()(fabula_model* model) const { fabula_model_free(model); }
  void operator()(fabula_plan* plan) const { fabula_plan_free(plan); }
};
using Options = std::unique_ptr<fabula_options, Free>;
using Model = std::unique_ptr<fabula_model, Free>;
using Plan = std::unique_ptr<fabula_plan, Free>;

Options options_of(const std::vector<std::pair<const char*, const char*>>& given) {
  Options options(fabula_options_new());
  for (const auto& [name, value] : given)
    EXPECT_EQ(fabula_options_set(options.get(), name, value), FABULA_DONE) << fabula_options_error(options.get());
  return options;
}
Options quick() { return options_of({{"steps", "1"}, {"scale", "1"}, {"seed", "11"}, {"crf", "30"}, {"threads", "1"}}); }

Model opened(const Options& options) {
  Model model(fabula_model_new());
  EXPECT_EQ(fabula_model_open(model.get(), model_folder.c_str(), options.get()), FABULA_DONE) << fabula_model_error(model.get());
  return model;
}

Plan plan_of(const Model& model, const char* text, const Options& options) {
  fabula_plan* plan = nullptr;
  EXPECT_EQ(fabula_plan_write(model.get(), text, options.get(), &plan), FABULA_DONE) << fabula_model_error(model.get());
  return Plan(plan);
}

class Library : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / name; }
  // Runs a command in the test's folder; what it prints is in out.txt.
  [[nodiscard]] int run(const std::string& command) const {
    const int status = std::system(("cd " + folder_.string() + " && (" + command + ") >out.txt 2>&1 </dev/null").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] std::string printed() const { return contents(file("out.txt")); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_ = fs::temp_directory_path() / ("fabula_api_" + std::to_string(getpid()));
};

TEST_F(Library, MakesThePlanAndTheFilmOfTheCommandLineToTheByte) {
  const std::string program = std::string(FABULA_PROGRAM) + " ", with = " --model " + model_folder + " ";
  ASSERT_EQ(run(program + "plan '" + prompt + "' -o pig.json" + with), 0) << printed();
  ASSERT_EQ(run(program + "render pig.json -o pig.mp4 --no-store --steps 1 --scale 1 --seed 11 --crf 30 -q" + with), 0) << printed();

  const Options options = quick();
  const Model model = opened(options);
  const Plan written = plan_of(model, prompt, options);
  ASSERT_TRUE(written);
  EXPECT_EQ(fabula_plan_json(written.get()), contents(file("pig.json")));
  EXPECT_EQ(fabula_plan_shots(written.get()), 1U);
  EXPECT_GT(fabula_plan_milliseconds(written.get()), 0);
  ASSERT_EQ(fabula_render(model.get(), written.get(), file("written.mp4").c_str(), options.get(), nullptr), FABULA_DONE)
      << fabula_model_error(model.get());
  EXPECT_TRUE(contents(file("written.mp4")) == contents(file("pig.mp4")));

  fabula_plan* read = nullptr;
  ASSERT_EQ(fabula_plan_read(model.get(), contents(file("pig.json")).c_str(), options.get(), &read), FABULA_DONE);
  const Plan owned(read);
  ASSERT_EQ(fabula_render(model.get(), read, file("read.mp4").c_str(), options.get(), nullptr), FABULA_DONE);
  EXPECT_TRUE(contents(file("read.mp4")) == contents(file("pig.mp4")));
  ASSERT_EQ(run(program + "probe read.mp4"), 0) << printed();  // with its receipt
}

struct Heard {
  int frames = 0, width = 0, height = 0, steps = 0;
  std::size_t samples = 0;
  double fraction = 0.0;
  bool signals_are_held = true;
};

fabula_callbacks listening(Heard& heard) {
  fabula_callbacks callbacks{};
  callbacks.size = sizeof callbacks;
  callbacks.user = &heard;
  callbacks.progress = [](void* user, const fabula_progress* at) {
    auto& all = *static_cast<Heard*>(user);
    EXPECT_EQ(at->size, sizeof *at);
    EXPECT_GE(at->fraction, all.fraction);
    EXPECT_LT(at->shot, at->shots);
    EXPECT_LE(at->step, at->steps);
    all.fraction = at->fraction;
    ++all.steps;
    sigset_t held;
    pthread_sigmask(SIG_BLOCK, nullptr, &held);
    all.signals_are_held = all.signals_are_held && sigismember(&held, SIGINT) == 1 && sigismember(&held, SIGALRM) == 1;
    return 0;
  };
  callbacks.frame = [](void* user, const unsigned char* rgb, int width, int height) {
    auto& all = *static_cast<Heard*>(user);
    EXPECT_NE(rgb, nullptr);
    all.width = width;
    all.height = height;
    ++all.frames;
    return 0;
  };
  callbacks.samples = [](void* user, const float* stereo, std::size_t count) {
    auto& all = *static_cast<Heard*>(user);
    for (std::size_t i = 0; i < 2 * count; ++i) EXPECT_LE(std::abs(stereo[i]), 1.5F);
    all.samples += count;
    return 0;
  };
  return callbacks;
}

TEST_F(Library, HandsOutEveryFrameAndSampleAndNeedsNoFile) {
  const Options options = quick();
  const Model model = opened(options);
  const Plan plan = plan_of(model, prompt, options);
  ASSERT_TRUE(plan);
  Heard heard;
  const fabula_callbacks callbacks = listening(heard);
  ASSERT_EQ(fabula_render(model.get(), plan.get(), nullptr, options.get(), &callbacks), FABULA_DONE) << fabula_model_error(model.get());
  const double seconds = fabula_plan_milliseconds(plan.get()) / 1000.0;
  EXPECT_NEAR(heard.frames, 24.0 * seconds, 1.0);
  EXPECT_EQ(heard.samples, static_cast<std::size_t>(heard.frames) * 2000);
  EXPECT_EQ(heard.width, 224);
  EXPECT_EQ(heard.height, 128);
  EXPECT_GT(heard.steps, 1);
  EXPECT_DOUBLE_EQ(heard.fraction, 1.0);
  EXPECT_EQ(files(), 0U);
  // A signal handler of the program around must not run in a thread that computes.
  EXPECT_TRUE(heard.signals_are_held);
  sigset_t held;
  pthread_sigmask(SIG_BLOCK, nullptr, &held);
  EXPECT_EQ(sigismember(&held, SIGINT), 0);
}

TEST_F(Library, TwoModelsInTwoThreadsMakeWhatEachMakesAlone) {
  const char* const prompts[] = {prompt, "In one shot a fox runs in the forest."};
  const auto make = [&](int which, const std::string& name) {
    const Options options = quick();
    const Model model = opened(options);
    const Plan plan = plan_of(model, prompts[which], options);
    ASSERT_TRUE(plan);
    EXPECT_EQ(fabula_render(model.get(), plan.get(), file(name).c_str(), options.get(), nullptr), FABULA_DONE);
    // The other thread's failures are not this one's.
    EXPECT_EQ(fabula_options_set(options.get(), which == 0 ? "stepps" : "steps", which == 0 ? "1" : "0"), FABULA_USAGE);
    EXPECT_NE(std::string(fabula_options_error(options.get())).find(which == 0 ? "stepps" : "steps"), std::string::npos);
    EXPECT_STREQ(fabula_model_error(model.get()), "");
  };
  std::thread other([&] { make(1, "fox_together.mp4"); });
  make(0, "pig_together.mp4");
  other.join();
  make(0, "pig_alone.mp4");
  make(1, "fox_alone.mp4");
  EXPECT_TRUE(contents(file("pig_together.mp4")) == contents(file("pig_alone.mp4")));
  EXPECT_TRUE(contents(file("fox_together.mp4")) == contents(file("fox_alone.mp4")));
  EXPECT_FALSE(contents(file("pig_alone.mp4")) == contents(file("fox_alone.mp4")));
}

struct Cancelling {
  fabula_model* model;
  int calls = 0, calls_after = 0;
  bool is_cancelled = false;
};

TEST_F(Library, StopsWithinAStepAndLeavesNothing) {
  const Options options = options_of({{"steps", "40"}, {"scale", "1"}, {"threads", "1"}});
  const Model model = opened(options);
  const Plan plan = plan_of(model, prompt, options);
  ASSERT_TRUE(plan);
  Cancelling state{model.get()};
  fabula_callbacks callbacks{};
  callbacks.size = sizeof callbacks;
  callbacks.user = &state;
  callbacks.progress = [](void* user, const fabula_progress*) {
    auto& all = *static_cast<Cancelling*>(user);
    if (all.is_cancelled) ++all.calls_after;
    if (++all.calls == 3) {
      std::thread([&all] { fabula_model_cancel(all.model); }).join();
      all.is_cancelled = true;
    }
    return 0;
  };
  EXPECT_EQ(fabula_render(model.get(), plan.get(), file("stopped.mp4").c_str(), options.get(), &callbacks), FABULA_INTERRUPTED);
  EXPECT_EQ(state.calls_after, 0);
  EXPECT_STRNE(fabula_model_error(model.get()), "");
  EXPECT_EQ(files(), 0U);

  fabula_model_cancel(model.get());  // between calls: the next one is stopped
  fabula_plan* none = nullptr;
  EXPECT_EQ(fabula_plan_write(model.get(), prompt, nullptr, &none), FABULA_INTERRUPTED);
  EXPECT_EQ(none, nullptr);

  callbacks.progress = nullptr;
  callbacks.frame = [](void*, const unsigned char*, int, int) { return 1; };  // a callback stops, too
  const Options few = quick();
  EXPECT_EQ(fabula_render(model.get(), plan.get(), nullptr, few.get(), &callbacks), FABULA_INTERRUPTED);
  callbacks.frame = nullptr;
  EXPECT_EQ(fabula_render(model.get(), plan.get(), nullptr, few.get(), &callbacks), FABULA_DONE) << fabula_model_error(model.get());
}

TEST_F(Library, RefusesWithACodeAndASentence) {
  const Options options(fabula_options_new());
  for (const char* name : {"nonsense", "model", "quiet", "help", "", "c2pa", "no-store"})
    EXPECT_EQ(fabula_options_set(options.get(), name, "1"), FABULA_USAGE) << name;
  EXPECT_EQ(fabula_options_set(options.get(), nullptr, "1"), FABULA_USAGE);
  EXPECT_EQ(fabula_options_set(options.get(), "steps", "many"), FABULA_USAGE);
  EXPECT_EQ(fabula_options_set(options.get(), "top-p", "0.5"), FABULA_DONE) << "whether it goes with the others is seen later";

  const Model model(fabula_model_new());
  fabula_plan* plan = nullptr;
  EXPECT_EQ(fabula_plan_write(model.get(), prompt, nullptr, &plan), FABULA_USAGE) << "it is not open";
  EXPECT_EQ(fabula_model_open(model.get(), file("nowhere").c_str(), nullptr), FABULA_UNAVAILABLE);
  EXPECT_NE(std::string(fabula_model_error(model.get())).find("nowhere"), std::string::npos);
  const Options no_device = options_of({{"device", "cuda:77"}});
  EXPECT_EQ(fabula_model_open(model.get(), model_folder.c_str(), no_device.get()), FABULA_UNAVAILABLE);
  ASSERT_EQ(fabula_model_open(model.get(), model_folder.c_str(), nullptr), FABULA_DONE) << fabula_model_error(model.get());
  EXPECT_EQ(fabula_model_open(model.get(), model_folder.c_str(), nullptr), FABULA_USAGE);
  EXPECT_EQ(fabula_plan_write(model.get(), prompt, options.get(), &plan), FABULA_USAGE) << "top-p needs a temperature";
  EXPECT_EQ(fabula_plan_write(model.get(), prompt, no_device.get(), &plan), FABULA_USAGE) << "the device is settled";
  EXPECT_EQ(fabula_plan_write(model.get(), nullptr, nullptr, &plan), FABULA_USAGE);
  EXPECT_EQ(fabula_plan_write(model.get(), "Der Fuchs ist müde und schläft.", nullptr, &plan), FABULA_BAD_DATA);
  EXPECT_EQ(fabula_plan_read(model.get(), "{ \"version\"", nullptr, &plan), FABULA_BAD_DATA);
  EXPECT_EQ(plan, nullptr);
  EXPECT_EQ(fabula_plan_write(nullptr, prompt, nullptr, &plan), FABULA_USAGE);

  const Options few = quick();
  const Plan pig = plan_of(model, prompt, few);
  std::ofstream(file("there.mp4")) << "somebody's";
  EXPECT_EQ(fabula_render(model.get(), pig.get(), file("there.mp4").c_str(), few.get(), nullptr), FABULA_CANNOT_CREATE);
  EXPECT_EQ(contents(file("there.mp4")), "somebody's");
  EXPECT_EQ(fabula_render(model.get(), pig.get(), file("film.xyz").c_str(), few.get(), nullptr), FABULA_USAGE);
  EXPECT_EQ(fabula_render(model.get(), nullptr, file("film.mp4").c_str(), few.get(), nullptr), FABULA_USAGE);
  fabula_callbacks no_size{};
  EXPECT_EQ(fabula_render(model.get(), pig.get(), nullptr, few.get(), &no_size), FABULA_USAGE);
  EXPECT_STREQ(fabula_model_error(nullptr), "");
}

TEST_F(Library, ShowsTheFunctionsOfItsHeaderAndNothingElse) {
  ASSERT_EQ(run(std::string("nm -D --defined-only --without-symbol-versions ") + FABULA_LIBRARY), 0) << printed();
  std::set<std::string> shown, declared;
  std::istringstream lines(printed());
  for (std::string address, kind, name; lines >> address >> kind >> name;) {
    if (kind != "A") shown.insert(name);  // the node of versions
  }
  const std::string header = contents(fs::path(FABULA_SOURCE_DIR) / "library/fabula.h");
  const std::regex declaration(R"(\nFABULA_API [^;(]*?(fabula_\w+)\()");
  for (auto match = std::sregex_iterator(header.begin(), header.end(), declaration); match != std::sregex_iterator(); ++match)
    declared.insert((*match)[1]);
  EXPECT_GT(declared.size(), 15U);
  EXPECT_EQ(shown, declared);
  ASSERT_EQ(run(std::string("objdump -p ") + FABULA_LIBRARY), 0);
  EXPECT_NE(printed().find("SONAME               libfabula.so." + std::to_string(FABULA_API_VERSION)), std::string::npos) << printed();
  EXPECT_EQ(fabula_api_version(), FABULA_API_VERSION);
}

class Example : public Library {
 protected:
  void SetUp() override {
    Library::SetUp();
    if (std::string(FABULA_SANITIZE) != "") GTEST_SKIP() << "the example has no sanitizer and cannot load a library that has";
  }
  const std::string arguments_ = std::string(" '") + prompt + "' pig.mp4 steps=1 scale=1 threads=1";
  const std::string variables_ =
      "FABULA_MODEL=" + model_folder + " LD_LIBRARY_PATH=" + fs::path(FABULA_LIBRARY).parent_path().string() + " ";
};

TEST_F(Example, InCIsPlainC89AndFilms) {
  const std::string source = fs::path(FABULA_SOURCE_DIR) / "examples/c/film.c", headers = fs::path(FABULA_SOURCE_DIR) / "library";
  const std::string compile = "cc -Wall -Wextra -pedantic -Werror -I" + headers + " " + source;
  EXPECT_EQ(run(compile + " -std=c89 -fsyntax-only"), 0) << printed();
  ASSERT_EQ(run(compile + " -std=c99 -o film " + FABULA_LIBRARY), 0) << printed();
  ASSERT_EQ(run(variables_ + "./film" + arguments_), 0) << printed();
  EXPECT_NE(printed().find("pig.mp4: 1 shots, 44 frames"), std::string::npos) << printed();
  EXPECT_GT(fs::file_size(file("pig.mp4")), 1000U);
  EXPECT_EQ(run(variables_ + "./film" + arguments_), FABULA_CANNOT_CREATE) << printed();
}

TEST_F(Example, InPythonFilms) {
  if (run("python3 -c 'import ctypes'") != 0) GTEST_SKIP() << "there is no python3 here: the example in Python was not run";
  const std::string script = fs::path(FABULA_SOURCE_DIR) / "examples/python/film.py";
  ASSERT_EQ(run(variables_ + "python3 -B " + script + arguments_), 0) << printed();
  EXPECT_NE(printed().find("44 frames of 224 x 128"), std::string::npos) << printed();
  EXPECT_GT(fs::file_size(file("pig.mp4")), 1000U);
  EXPECT_NE(run(variables_ + "python3 -B " + script + " x y.mp4 stepps=1"), 0);
  EXPECT_NE(printed().find("stepps"), std::string::npos) << printed();
}

}  // namespace
