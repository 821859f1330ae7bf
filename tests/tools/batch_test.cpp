// A batch without its films: files of jobs, names, the ledger and the page.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/sha256.h"
#include "tests/support/folder.h"
#include "tests/support/refusal.h"
#include "tools/batch/jobs.h"
#include "tools/batch/ledger.h"
#include "tools/batch/names.h"
#include "tools/batch/page.h"

namespace fabula::batch {
namespace {

using test::refusal;
using Options = std::vector<std::pair<std::string, std::string>>;

TEST(Jobs, AreTheSameFromEveryFormat) {
  const std::string object = R"({"prompt": "A fox, \"red\".", "output": "fox.mp4", "seed": 7, "quick": true})";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"jobs.json", "[" + object + R"(, {"plan": "pig.json", "seed": null}])"},
      {"jobs.jsonl", object + "\n{\"plan\": \"pig.json\"}\n"},
      {"jobs.csv", "\xEF\xBB\xBFprompt,plan,output,seed,quick\r\n\"A fox, \"\"red\"\".\",,fox.mp4,7,true\r\n\r\n,pig.json,,,\r\n"},
      {"-", "prompt;plan;output;seed;quick\n\"A fox, \"\"red\"\".\";;fox.mp4;7;true\n;pig.json"}};
  for (const auto& [name, text] : files) {
    const std::vector<Job> jobs = parse_jobs(text, name);
    ASSERT_EQ(jobs.size(), 2U) << name;
    EXPECT_EQ(jobs[0].number, 1U);
    EXPECT_EQ(jobs[0].kind, Job::Kind::prompt);
    EXPECT_EQ(jobs[0].source, "A fox, \"red\".") << name;
    EXPECT_EQ(jobs[0].output, "fox.mp4");
    EXPECT_EQ(jobs[0].options, (Options{{"seed", "7"}, {"quick", "true"}})) << name;
    EXPECT_EQ(jobs[1].kind, Job::Kind::plan);
    EXPECT_EQ(jobs[1].source, "pig.json") << name;
    EXPECT_TRUE(jobs[1].options.empty() && jobs[1].output.empty() && !jobs[1].fault) << name;
  }
}

TEST(Jobs, ALineIsAPromptOrAnObjectAndCommentsAreSkipped) {
  const std::vector<Job> jobs =
      parse_jobs("# films\n\n  A fox runs. \r\n{\"screenplay\": \"a.fountain\"}\n# no\nA pig, a plan.", "jobs.txt");
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].source, "A fox runs.");
  EXPECT_EQ(jobs[1].kind, Job::Kind::screenplay);
  EXPECT_EQ(jobs[2].source, "A pig, a plan.");
  EXPECT_EQ(parse_jobs("{\n\"prompt\": \"over several lines\"\n}", "one.json").size(), 1U);
}

TEST(Jobs, AFaultyJobSpoilsNoOther) {
  const std::vector<Job> jobs = parse_jobs(
      "A fox.\n{\"prompt\": 3}\n{\n{\"seed\": 1}\n{\"prompt\": \"a\", \"plan\": \"b\"}\n{\"prompt\": \"a\", \"output\": \"\"}\n"
      "{\"prompt\": \"a\", \"seed\": [1]}\n{\"prompt\": \"a\", \"output\": \"a\\u0000b\"}\nA pig.\n",
      "jobs.txt");
  ASSERT_EQ(jobs.size(), 9U);
  for (const Job& job : jobs) EXPECT_EQ(job.fault.has_value(), job.number != 1 && job.number != 9) << job.number;
  EXPECT_TRUE(parse_jobs("prompt\nA fox,7\n", "a.csv")[0].fault.has_value()) << "more cells than columns";
}

TEST(Jobs, AFileThatCannotBeTakenApartIsRefused) {
  EXPECT_NE(refusal([] { (void)parse_jobs("[{\"prompt\": \"a\"}", "a.json"); }).find("a.json is not a JSON list"), std::string::npos);
  EXPECT_NE(refusal([] { (void)parse_jobs("a,b\n1,2\n", "a.csv"); }).find("first row names the columns"), std::string::npos);
  EXPECT_NE(refusal([] { (void)parse_jobs("prompt\n\"a\nb", "a.csv"); }).find("line 2: a quotation mark is never closed"),
            std::string::npos);
  EXPECT_NE(refusal([] { (void)parse_jobs("prompt\n\"a\nb\"c\n", "a.csv"); }).find("line 3: text behind"), std::string::npos);
  for (const char* empty : {"", "\n\n", "# nothing\n", "[]", "prompt\n"})
    EXPECT_NE(refusal([&] { (void)parse_jobs(empty, "x"); }).find("no jobs"), std::string::npos) << empty;
}

TEST(Names, AreFilledInAndPadded) {
  const NameFields fields{
      .n = 7, .title = "Ein Fuchs: \"Hallo\"!", .prompt = "../../etc", .seed = 12, .date = "2026-11-30", .shot = "s010-s030"};
  const auto name = [&](const std::string& text, std::vector<std::string> taken = {}) {
    return NameTemplate(text).expand(fields,
                                     [&](const std::string& one) { return std::find(taken.begin(), taken.end(), one) != taken.end(); });
  };
  EXPECT_EQ(name("{n:03d}_{title}"), "007_ein_fuchs_hallo");
  EXPECT_EQ(name("{prompt}.{seed:04d}.{date}/{shot}"), "etc.0012.2026-11-30/s010-s030");
  EXPECT_EQ(name("a{version:03d}", {"a001", "a002"}), "a003");
  EXPECT_EQ(name("{{{n}}}"), "{7}");
  EXPECT_TRUE(NameTemplate("{version:03d}").has("version"));
  EXPECT_FALSE(NameTemplate("{{version}}").has("version"));
}

TEST(Names, WhatTheyDoNotKnowIsRefused) {
  for (const char* bad : {"{take}", "{n:3}", "{n:0d}", "{n:03x}", "{title:03d}", "{}", "{n", "n}", "{ n}", "{n:}"})
    EXPECT_NE(refusal([&] { NameTemplate{bad}; }, ExitCode::usage), "") << bad;
}

class LedgerFile : public test::InFolder {
 protected:
  FilmRecord film(const std::string& name) {
    std::ofstream(file(name)) << "film";
    return {.output = file(name),
            .title = "A <b>fox</b>",
            .prompt = "\"Fox\" & 'hen' <script>alert(1)</script>\n\xff",
            .bytes = 4,
            .sha256 = sha256_of(file(name)),
            .seed = "18446744073709551615",
            .milliseconds = 4321,
            .unsupported = {"a <dragon>", "snow"},
            .warnings = {"quiet"},
            .poster = std::string("\xff\xd8\0jpeg", 7),
            .finished = "2026-11-30T05:00:00Z"};
  }
};

TEST_F(LedgerFile, GivesBackWhatItWasTold) {
  {
    Ledger ledger(file("batch.db"));
    ledger.put({"k", 0}, film("a.mp4"));
    ledger.put({"k", 1}, film("b.mp4"));
    ledger.put({"k", 1}, film("c.mp4"));
  }
  const Ledger ledger(file("batch.db"));
  const FilmRecord back = ledger.find({"k", 0}).value();
  EXPECT_EQ(back.output, file("a.mp4").string());
  EXPECT_EQ(back.poster, film("a.mp4").poster);
  EXPECT_EQ(back.seed, "18446744073709551615");
  EXPECT_EQ(back.unsupported, (std::vector<std::string>{"a <dragon>", "snow"}));
  EXPECT_EQ(ledger.find({"k", 1})->output, file("c.mp4").string());
  EXPECT_FALSE(ledger.find({"other", 0}).has_value());
}

TEST_F(LedgerFile, TellsAWholeFilmFromAnyOther) {
  const FilmRecord record = film("a.mp4");
  EXPECT_TRUE(is_whole(record));
  std::ofstream(file("a.mp4")) << "fil_";
  EXPECT_FALSE(is_whole(record));
  std::filesystem::remove(file("a.mp4"));
  EXPECT_FALSE(is_whole(record));
}

TEST_F(LedgerFile, OutlivesABatchThatIsKilled) {
  const pid_t child = fork();
  if (child == 0) {
    Ledger ledger(file("batch.db"));
    ledger.put({"k", 0}, film("a.mp4"));
    _exit(0);  // as if killed: nothing is closed
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(Ledger(file("batch.db")).find({"k", 0}).has_value());
}

TEST_F(LedgerFile, AStrangersFileIsRefusedAndKept) {
  std::ofstream(file("text.db")) << "a text that is long enough to be looked at by SQLite as if it were a database, which it is not";
  EXPECT_NE(refusal([&] { Ledger{file("text.db")}; }), "");
  { Database(file("other.db"), true, "test file").run("CREATE TABLE other (x)"); }
  EXPECT_NE(refusal([&] { Ledger{file("other.db")}; }).find("not the ledger"), std::string::npos);
}

TEST_F(LedgerFile, ThePageShowsTextsAndObeysNone) {
  FilmRecord record = film("0:0 #1?.mp4");
  FilmRecord failed;
  failed.prompt = "<i>";
  const std::string page = page_of({{1, record, ""}, {2, failed, "it's \"broken\""}}, folder_);
  EXPECT_NE(page.find("<h1>1 film</h1>"), std::string::npos);
  EXPECT_NE(page.find("&quot;Fox&quot; &amp; &#39;hen&#39; &lt;script&gt;alert(1)&lt;/script&gt; \xEF\xBF\xBD"), std::string::npos) << page;
  EXPECT_NE(page.find("A &lt;b&gt;fox&lt;/b&gt;"), std::string::npos);
  EXPECT_NE(page.find("Could not be shown: a &lt;dragon&gt;; snow"), std::string::npos);
  EXPECT_NE(page.find("src=\"./0%3A0%20%231%3F.mp4\""), std::string::npos) << page;
  EXPECT_NE(page.find("base64,/9gAanBlZw=="), std::string::npos);
  EXPECT_NE(page.find("made in 4.3 s, seed 18446744073709551615"), std::string::npos);
  EXPECT_NE(page.find("it&#39;s &quot;broken&quot;"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  std::ofstream(file("index.html")) << page;
  std::ofstream(file("mine.html")) << "<!DOCTYPE html><html><body>mine</body></html>";
  EXPECT_TRUE(is_page(file("index.html")));
  EXPECT_FALSE(is_page(file("mine.html")) || is_page(file("nothing.html")));
}

}  // namespace
}  // namespace fabula::batch
