// `cmake --install`: a tree that works wherever it is moved, and how a program without one finds a model.
#include <cstdlib>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

class Installed : public CommandLine {
 protected:
  // Runs a program of the test's folder, with `variables` set.
  Result run(const std::string& program, const std::string& arguments, const std::string& variables = "") {
    const fs::path out = file("stdout.txt"), err = file("stderr.txt");
    const std::string command = "cd " + folder_.string() + " && env -u FABULA_MODEL XDG_DATA_HOME=" + file("data").string() +
                                " XDG_DATA_DIRS=" + file("shared").string() + " " + variables + " " + program + " " + arguments + " >" +
                                out.string() + " 2>" + err.string() + " </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
  }
  std::string model_of(const Result& result) {
    const std::size_t at = result.out.find("  (");
    return result.code != 0 || at == std::string::npos ? "none: " + result.err
                                                       : result.out.substr(at + 3, result.out.find(')', at) - at - 3);
  }
};

TEST_F(Installed, TheTreeWorksWhereverItIsMoved) {
  const std::string install = std::string("cmake --install ") + FABULA_BINARY_DIR + " --prefix " + file("first").string() + " >/dev/null";
  ASSERT_EQ(std::system(install.c_str()), 0);
  fs::rename(file("first"), file("moved"));
  EXPECT_EQ(model_of(run("moved/bin/fabula", "models")), (file("moved") / "share/fabula/models/nano").string());
  EXPECT_EQ(run("moved/bin/fabula", "plan --oracle 'A fox runs.' -o fox.json").code, 0);
  EXPECT_EQ(run("moved/bin/fabula", "plan --check fox.json").code, 0);
  for (const char* name : {"share/doc/fabula/LICENSE", "share/fabula/models/nano/LICENSE", "share/fabula/schema/plan.schema.json"})
    EXPECT_TRUE(fs::exists(file("moved") / name)) << name;
  EXPECT_FALSE(fs::exists(file("moved") / "share/fabula/models/nano/training")) << "training data is of no use to a user";
}

// A C program that finds all it needs through pkg-config, and the model that lies beside the library.
TEST_F(Installed, TheLibraryIsBuiltAgainstAndFindsItsModel) {
  const std::string install = std::string("cmake --install ") + FABULA_BINARY_DIR + " --prefix " + file("first").string() + " >/dev/null";
  ASSERT_EQ(std::system(install.c_str()), 0);
  fs::rename(file("first"), file("moved"));
  ASSERT_EQ(run("find", "moved -name fabula.pc").code, 0);
  const std::string found = contents(file("stdout.txt"));
  ASSERT_FALSE(found.empty());
  const fs::path packages = file(found.substr(0, found.find('\n'))).parent_path(), libraries = packages.parent_path();
  EXPECT_TRUE(fs::is_symlink(libraries / "libfabula.so")) << "for the linker";
  std::ofstream(file("open.c"))
      << "#include <fabula.h>\n#include <stdio.h>\nint main(void) {\n  fabula_model *model = fabula_model_new();\n"
         "  int code = fabula_model_open(model, NULL, NULL);\n  puts(fabula_model_error(model));\n"
         "  fabula_model_free(model);\n  return code;\n}\n";
  const Result built =
      run("sh", "-c 'cc -std=c99 open.c $(pkg-config --cflags --libs fabula) -o open'", "PKG_CONFIG_PATH=" + packages.string());
  ASSERT_EQ(built.code, 0) << built.err;
  EXPECT_EQ(run("pkg-config", "--modversion fabula", "PKG_CONFIG_PATH=" + packages.string()).code, 0);
  if (std::string(FABULA_SANITIZE) != "") GTEST_SKIP() << "a program without a sanitizer cannot load a library that has one";
  const Result opened = run("./open", "", "LD_LIBRARY_PATH=" + libraries.string());
  EXPECT_EQ(opened.code, 0) << opened.out << opened.err;
  fs::remove_all(file("moved/share/fabula/models"));
  EXPECT_EQ(run("./open", "", "LD_LIBRARY_PATH=" + libraries.string()).code, 69);
}

TEST_F(Installed, AModelIsFoundByOptionVariableProgramAndDataFolders) {
  const auto bundle = [&](const fs::path& folder) {
    fs::create_directories(folder.parent_path());
    fs::create_directory_symlink(fs::path(FABULA_SOURCE_DIR) / "assets/models/nano", folder);
    return folder.string();
  };
  fs::create_directories(file("alone"));
  fs::copy(FABULA_PROGRAM, file("alone/fabula"));
  const std::string program = "alone/fabula";
  const Result none = run(program, "models");
  EXPECT_EQ(none.code, 69) << none.err;
  EXPECT_NE(none.err.find("FABULA_MODEL"), std::string::npos) << none.err;

  const std::string shared = bundle(file("shared/fabula/models/nano"));
  EXPECT_EQ(model_of(run(program, "models")), shared);
  const std::string data = bundle(file("data/fabula/models/nano"));
  EXPECT_EQ(model_of(run(program, "models")), data);
  const std::string own = bundle(file("share/fabula/models/nano"));
  EXPECT_EQ(model_of(run(program, "models")), own);
  const std::string named = bundle(file("named")), given = bundle(file("given"));
  EXPECT_EQ(model_of(run(program, "models", "FABULA_MODEL=" + named)), named);
  EXPECT_EQ(model_of(run(program, "models --model " + given, "FABULA_MODEL=" + named)), given);
  const Result wrong = run(program, "models", "FABULA_MODEL=" + file("nowhere").string());
  EXPECT_EQ(wrong.code, 69);
  EXPECT_NE(wrong.err.find("no model bundle at " + file("nowhere").string()), std::string::npos) << wrong.err;
}

TEST_F(Installed, ABundleWithoutWeightsIsCalledIncomplete) {
  fs::copy(fs::path(FABULA_SOURCE_DIR) / "assets/models/nano", file("nano"), fs::copy_options::recursive);
  fs::remove(file("nano/vae/diffusion_pytorch_model.safetensors"));
  const Result one = run(FABULA_PROGRAM, "models --model nano");
  EXPECT_EQ(one.code, 69);
  EXPECT_NE(one.out.find("incomplete: it lacks vae/diffusion_pytorch_model.safetensors"), std::string::npos) << one.out;
  fs::remove_all(file("nano/planner"));
  const Result json = run(FABULA_PROGRAM, "models --model nano --json");
  EXPECT_EQ(json.code, 69);
  EXPECT_NE(json.out.find("\"complete\": false"), std::string::npos) << json.out;
  EXPECT_NE(json.err.find("planner/tokenizer.json"), std::string::npos) << json.err;
  EXPECT_EQ(run(FABULA_PROGRAM, "models").code, 0);
}

}  // namespace
}  // namespace fabula
