// The one writer of files.
#include "base/output_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/folder.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using test::refusal;

class Output : public test::InFolder {
 protected:
  void put(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  std::string text(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat(file(name).c_str(), &status), 0) << name;
    return status.st_mode;
  }
  void write(const std::string& name, const std::string& text, Existing existing = Existing::refuse) const {
    write_whole_file(file(name), std::as_bytes(std::span(text)), existing);
  }
};

using Names = std::vector<std::string>;

TEST_F(Output, IsWrittenInAFileOfItsOwnThatGoesAwayUnlessItIsCommitted) {
  {
    const OutputFile a(file("a"), Existing::refuse), b(file("a"), Existing::refuse);
    EXPECT_NE(a.scratch(), b.scratch());
    EXPECT_EQ(a.scratch().parent_path(), folder_) << "another disk might not have the room";
    EXPECT_EQ(listing().size(), 2U);
    EXPECT_FALSE(fs::exists(file("a")));
  }
  EXPECT_TRUE(listing().empty());
  write("a", "hello");
  EXPECT_EQ(text("a"), "hello");
  EXPECT_EQ(listing(), Names{"a"});
}

TEST_F(Output, NeverTakesAnothersPlaceUnasked) {
  put("a.txt", "older");
  EXPECT_NE(refusal([&] { write("a.txt", "new"); }, ExitCode::cannot_create).find("exists already"), std::string::npos);
  EXPECT_EQ(text("a.txt"), "older");
  write("a.txt", "new", Existing::keep_both);
  write("a.txt", "newer", Existing::keep_both);
  EXPECT_EQ(text("a.txt") + text("a_2.txt") + text("a_3.txt"), "oldernewnewer");
  write("a.txt", "last", Existing::replace);
  EXPECT_EQ(text("a.txt"), "last");
  EXPECT_EQ(listing().size(), 3U);
}

TEST_F(Output, ThatSomebodyElseMakesMeanwhileIsNotLostEither) {
  OutputFile output(file("a.txt"), Existing::refuse);
  std::ofstream(output.scratch()) << "mine";
  put("a.txt", "theirs");
  EXPECT_NE(refusal([&] { output.commit(); }, ExitCode::cannot_create).find("a_2.txt"), std::string::npos);
  EXPECT_EQ(text("a.txt") + " " + text("a_2.txt"), "theirs mine");

  OutputFile named(file("b.txt"), Existing::keep_both);
  std::ofstream(named.scratch()) << "mine";
  put("b.txt", "theirs");
  named.commit();
  EXPECT_EQ(named.output(), file("b_2.txt"));
  EXPECT_EQ(text("b.txt") + " " + text("b_2.txt"), "theirs mine");
}

TEST_F(Output, KeepsTheModeOfWhatItReplacesAndTakesTheUsersOtherwise) {
  put("a", "older");
  ASSERT_EQ(::chmod(file("a").c_str(), 0604), 0);
  write("a", "new", Existing::replace);
  EXPECT_EQ(mode("a") & 07777, 0604U);
  const mode_t before = ::umask(027);
  write("b", "new");
  ::umask(before);
  EXPECT_EQ(mode("b") & 07777, 0640U);
}

TEST_F(Output, OfAPrivateFileIsPrivateWhileItIsWritten) {
  put("a", "older");
  ASSERT_EQ(::chmod(file("a").c_str(), 0600), 0);
  const OutputFile output(file("a"), Existing::replace);
  EXPECT_EQ(mode(output.scratch().filename()) & 0077, 0U);
}

TEST_F(Output, GoesWhereALinkLeads) {
  fs::create_directories(file("folder"));
  put("folder/real", "older");
  fs::create_symlink("folder/real", file("link"));
  fs::create_symlink("link", file("links"));
  fs::create_symlink("folder/none", file("nowhere"));
  fs::create_symlink("circle", file("circle"));
  EXPECT_FALSE(refusal([&] { write("links", "new"); }, ExitCode::cannot_create).empty());
  write("links", "new", Existing::replace);
  write("nowhere", "first");
  EXPECT_EQ(text("folder/real") + text("folder/none"), "newfirst");
  for (const char* link : {"link", "links", "nowhere"}) EXPECT_TRUE(fs::is_symlink(file(link))) << link;
  EXPECT_NE(refusal([&] { write("circle", "new", Existing::replace); }, ExitCode::cannot_create).find("circle"), std::string::npos);
}

TEST_F(Output, IntoAPipeIsCopiedAndThePipeStays) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0644), 0);
  EXPECT_TRUE(is_stream(file("pipe")));
  EXPECT_FALSE(output_exists(file("pipe"))) << "nothing in it can be lost";
  ASSERT_EQ(std::system(("cat " + file("pipe").string() + " >" + file("got").string() + " &").c_str()), 0);
  const std::string much(300000, 'x');
  write("pipe", much);
  for (int i = 0; i < 500 && text("got").size() < much.size(); ++i) ::usleep(10000);
  EXPECT_TRUE(text("got") == much);
  EXPECT_TRUE(S_ISFIFO(mode("pipe")));
  EXPECT_EQ(listing(), (Names{"got", "pipe"}));
  write("pipe", "a default name", Existing::keep_both);
  EXPECT_EQ(text("pipe_2"), "a default name");
}

TEST_F(Output, ThatCannotBeIsRefusedInOneSentence) {
  put("file", "");
  fs::create_directories(file("folder"));
  for (const std::string& name :
       {std::string(300, 'a'), std::string("none/a"), std::string("file/a"), std::string("folder"), std::string("folder/")}) {
    for (const Existing existing : {Existing::refuse, Existing::replace}) {
      EXPECT_GT(refusal([&] { check_output(file(name), existing); }, ExitCode::cannot_create).size(), 20U) << name;
    }
  }
  write(std::string(255, 'a'), "the longest name there is");
  EXPECT_EQ(text(std::string(255, 'a')), "the longest name there is");
}

TEST_F(Output, IsComparedWithAnInputByWhatTheNamesLeadTo) {
  put("a", "");
  put("b", "");
  fs::create_hard_link(file("a"), file("hard"));
  fs::create_symlink("a", file("soft"));
  EXPECT_TRUE(is_same_file(file("a"), file("hard")));
  EXPECT_TRUE(is_same_file(file("a"), file("soft")));
  EXPECT_FALSE(is_same_file(file("a"), file("b")));
  EXPECT_FALSE(is_same_file(file("a"), file("none")));
  EXPECT_FALSE(is_same_file("/dev/null", "/dev/null")) << "nothing can be lost there";
}

}  // namespace
}  // namespace fabula
