// The entrance: a prompt without a command, mistyped names, help, version, paths that are no prompts, and what the model knows.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

class Entrance : public CommandLine {
 protected:
  // One sentence (a usage error adds a line that points to the help) which holds each of `parts`.
  void expect_refused(const std::string& arguments, int code, const std::vector<std::string>& parts) {
    const Result result = fabula(arguments);
    EXPECT_EQ(result.code, code) << "fabula " << arguments << "\n" << result.err;
    EXPECT_EQ(result.out, "") << "fabula " << arguments;
    EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), code == 2 ? 2 : 1) << result.err;
    for (const std::string& part : parts)
      EXPECT_NE(result.err.find(part), std::string::npos) << "fabula " << arguments << "\n" << result.err;
  }
  std::string expect_printed(const std::string& arguments, const std::vector<std::string>& parts) {
    const Result result = fabula(arguments);
    EXPECT_EQ(result.code, 0) << "fabula " << arguments << "\n" << result.err;
    EXPECT_EQ(result.err, "") << "fabula " << arguments;
    for (const std::string& part : parts)
      EXPECT_NE(result.out.find(part), std::string::npos) << "fabula " << arguments << "\n" << result.out;
    return result.out;
  }
};

TEST_F(Entrance, ABarePromptIsRendered) {
  ASSERT_EQ(fabula("plan --oracle 'In one shot a pig jumps.' -o pig.json").code, 0);
  ASSERT_EQ(fabula("render 'In one shot a pig jumps.' -o long.mp4 --steps 1 --scale 1 -q").code, 0);
  for (const std::string arguments : {"'In one shot a pig jumps.' -o short.mp4 --steps 1 --scale 1 -q",
                                      "-q -o short.mp4 -y --steps 1 --scale 1 'In one shot a pig jumps.'",
                                      "-o short.mp4 -y --steps 1 --scale 1 -q -- 'In one shot a pig jumps.'"}) {
    const Result result = fabula(arguments);
    EXPECT_EQ(result.code, 0) << arguments << "\n" << result.err;
    EXPECT_TRUE(contents(file("short.mp4")) == contents(file("long.mp4"))) << arguments;
  }
  EXPECT_EQ(fabula("pig.json -o plan.mp4 --steps 1 --scale 1 -q").out, "plan.mp4\n");
}

TEST_F(Entrance, TwoDashesEndTheOptions) {
  for (const std::string arguments : {"plan --oracle -- '-A fox runs.'", "plan --oracle -- 'A fox runs.'"}) {
    const Result result = fabula(arguments);
    EXPECT_EQ(result.code, 0) << arguments << "\n" << result.err;
    EXPECT_NE(result.out.find("\"prompt\""), std::string::npos) << arguments;
  }
  expect_refused("plan --oracle '-A fox runs.'", 2, {"has no option"});
  expect_refused("render -- 'A fox runs.' --threads 1", 2, {"--threads stands behind \"--\""});
}

TEST_F(Entrance, AMistypedNameIsAnsweredWithTheNearest) {
  expect_refused("rendr", 2, {"there is no command rendr", "did you mean render?", "a prompt needs quotes"});
  expect_refused("repaln story.json", 2, {"did you mean replan?"});
  expect_refused("fox", 2, {"there is no command fox"});
  expect_refused("render 'A fox.' --outptu a.mp4", 2, {"render has no option --outptu", "did you mean --output?"});
  expect_refused("plan --chek=a.json", 2, {"plan has no option --chek", "did you mean --check?"});
  expect_refused("replan a.json 'make it night' --shto s010", 2, {"did you mean --shot?"});
  expect_refused("cast shwo", 2, {"cast has no command shwo", "did you mean show?"});
  expect_refused("--halp", 2, {"did you mean --help?"});
  expect_refused("help rendr", 2, {"did you mean render?"});
  expect_refused("render A fox runs.", 2, {"a prompt of several words needs quotes"});
  expect_refused("render 'A fox.' --qwertz", 2, {"has no option --qwertz"});
  EXPECT_EQ(fabula("render 'A fox.' --qwertz").err.find("did you mean"), std::string::npos) << "nothing is near";
  expect_refused("", 2, {"name a command: render, plan"});
  expect_refused("cast", 2, {"cast needs a command: list, show"});
  expect_refused("plan", 2, {"exactly one of: a source, --check FILE, --retime FILE, --batch FILE, --schema"});
  expect_refused("replan a.json 'make it night'", 2, {"exactly one of --shot ID and --from ID"});
}

TEST_F(Entrance, APathIsNeverFilmedAsAPrompt) {
  fs::create_directories(file("plans"));
  std::ofstream(file("fox")) << "A fox runs.";
  std::ofstream(file("two words")) << "A fox runs.";
  for (const std::string command : {"", "render ", "plan --oracle "}) {
    for (const char* missing : {"nofile.txt", "s.fdx", "none/", "a/b", ".hidden", "film.mp4"})
      expect_refused(command + missing, 66, {std::string("there is no file ") + missing});
    expect_refused(command + "plans/", 66, {"plans/ is a folder"});
    expect_refused(command + "plans", 66, {"plans is a folder"});
    expect_refused(command + "fox", 66, {"fox is neither a plan (.json) nor a screenplay (.fountain)"});
    expect_refused(command + "'two words'", 66, {"two words is neither"});
    expect_refused(command + "missing.json", 66, {"cannot read the plan missing.json"});
  }
  EXPECT_EQ(fabula("plan --oracle 'A fox reads a.txt and says: 2.5'").code, 0) << "a sentence is no path";
  const int piped = std::system(("cd " + folder_.string() + " && " + FABULA_PROGRAM + " plan --oracle - <fox >out.json").c_str());
  EXPECT_EQ(WEXITSTATUS(piped), 0) << "the way out that the sentence names";
}

TEST_F(Entrance, HelpTeachesEveryCommand) {
  const std::string all = expect_printed("--help", {"fabula \"A fox", "Exit codes: 0 done, ", "fabula explain CODE"});
  EXPECT_EQ(expect_printed("help", {}), all);
  EXPECT_EQ(expect_printed("-h", {}), all);
  for (const std::string command : {"render", "plan", "replan", "cast", "models", "world", "explain", "completion", "version"}) {
    EXPECT_NE(all.find("\n  " + command + " "), std::string::npos) << command << " is not in the list";
    const std::string help = expect_printed(command + " --help", {"Examples:\n  ", "fabula " + command, "Exit codes:"});
    EXPECT_EQ(expect_printed("help " + command, {}), help) << command;
  }
  expect_printed("help cast add", {"Usage: fabula cast add", "fabula cast add fox --look", "--cast CAST.db"});
  expect_printed("render --help", {"=auto", "(default: the model's own number)", "76 the film failed its check"});
}

TEST_F(Entrance, TheVersionIsOneAnswerUnderEveryName) {
  const std::string version = expect_printed("--version", {"fabula ", "commit", "instruction set"});
  EXPECT_EQ(expect_printed("-V", {}), version);
  EXPECT_EQ(expect_printed("version", {}), version);
  const json report = json::parse(expect_printed("--version --json", {}));
  EXPECT_EQ(report, json::parse(expect_printed("version --json", {})));
  EXPECT_EQ(version.substr(0, version.find('\n')), "fabula " + report.at("version").get<std::string>());
  for (const char* key : {"commit", "instruction_set"}) EXPECT_FALSE(report.at(key).get<std::string>().empty()) << key;
  EXPECT_TRUE(report.at("libraries").contains("libavcodec")) << report;
}

TEST_F(Entrance, KernelsAndModelAreMeasuredBesideTheMachinesPeak) {
  const json report = json::parse(expect_printed("bench --threads 1 --seconds 0.001 --json", {}));
  EXPECT_GT(report.at("peak").at("float32_gops").get<double>(), 0.0);
  std::set<std::string> measured;
  for (const json& row : report.at("rows")) {
    EXPECT_GT(row.at("achieved").get<double>(), 0.0) << row;
    if (row.at("op") == "attention f32") {
      EXPECT_TRUE(row.contains("share_of_peak")) << row;
    }
    measured.insert(row.at("op"));
  }
  for (const char* op :
       {"linear f32", "linear bf16", "linear int8", "attention f32", "conv3d f32", "planner", "transformer", "video decoder"})
    EXPECT_TRUE(measured.contains(op)) << op;
}

TEST_F(Entrance, TheWorldIsListed) {
  const json stored = json::parse(contents(fs::path(FABULA_SOURCE_DIR) / "assets/models/nano/world.json"));
  const std::string listed = expect_printed("world", {"who\n", "where\n", "what they do\n", "voices\n"});
  const json report = json::parse(expect_printed("world --json", {}));
  for (const char* key : {"actors", "places", "actions", "voices"}) {
    ASSERT_EQ(report.at(key).size(), stored.at(key).size()) << key;
    for (std::size_t i = 0; i < stored.at(key).size(); ++i) {
      EXPECT_EQ(report[key][i]["id"], stored[key][i]["id"]);
      EXPECT_NE(listed.find("  " + stored[key][i]["id"].get<std::string>()), std::string::npos) << stored[key][i];
    }
  }
  expect_printed("models", {"`fabula world` lists what it can film"});
  expect_refused("world --model nowhere", 69, {"there is no model bundle at nowhere"});
}

TEST_F(Entrance, ExitCodesAreExplained) {
  const std::string all = expect_printed("explain", {});
  const std::string help = expect_printed("--help", {});
  for (const char* code : {"0", "2", "3", "65", "66", "69", "71", "73", "74", "76", "130", "143"}) {
    EXPECT_NE(all.find(std::string(code) + "  "), std::string::npos) << code;
    EXPECT_NE(help.find(std::string(" ") + code + " "), std::string::npos) << code;
    EXPECT_GE(std::count_if(all.begin(), all.end(), [](char c) { return c == '\n'; }), 12);
    expect_printed(std::string("explain ") + code, {std::string(code) + "  "});
  }
  expect_printed("explain 73", {"-y replaces", "-n keeps"});
  expect_refused("explain 42", 2, {"42 is no exit code"});
  expect_refused("explain seventy", 2, {});
}

TEST_F(Entrance, AShellCompletesCommandsAndOptions) {
  std::ofstream(file("fabula.bash")) << expect_printed("completion bash", {});
  const auto completed = [&](const std::string& words) {
    const int last = static_cast<int>(std::count(words.begin(), words.end(), ' '));
    const std::string script = "cd " + folder_.string() + " && bash -c 'source ./fabula.bash && COMP_WORDS=(" + words +
                               ") COMP_CWORD=" + std::to_string(last) + " && _fabula && echo \"${COMPREPLY[*]}\"' >completed.txt";
    EXPECT_EQ(std::system(script.c_str()), 0) << script;
    return contents(file("completed.txt"));
  };
  EXPECT_EQ(completed("fabula ren"), "render\n");
  EXPECT_EQ(completed("fabula render --out"), "--output\n");
  EXPECT_EQ(completed("fabula cast rem"), "remove remember\n");
  EXPECT_EQ(completed("fabula cast add --voice-pit"), "--voice-pitch\n");
  EXPECT_EQ(completed("fabula plan fox.json --comp"), "--compile\n");
  expect_printed("completion zsh", {"#compdef fabula", "bashcompinit", "replan"});
  expect_printed("completion fish", {"complete -c fabula -n '__fish_use_subcommand' -a render -d ", " -l output -s o -r -d "});
  expect_refused("completion tcsh", 2, {"bash"});
}

}  // namespace
}  // namespace fabula
