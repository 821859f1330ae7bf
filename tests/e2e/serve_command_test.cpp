// `fabula serve`: OpenAI's videos API, what survives a kill, what is refused, and who may ask.
#include <httplib.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <thread>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

// One shot: the shortest film that there is.
constexpr const char* prompt = "In one shot a crab jumps on the beach. It says: hello moon.";

// `fabula serve` in the test's folder, of the smallest films, at a free port.
class Served : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    ::signal(SIGPIPE, SIG_IGN);  // a service that refuses a body does not read it
  }
  void TearDown() override {
    end(SIGKILL);
    CommandLine::TearDown();
  }

  // Starts the service and waits until it says where it is.
  void serve(const std::string& options, const std::string& port = "0") {
    fs::remove(file("url.txt"));
    const std::string command = "cd " + folder_.string() + " && exec " + FABULA_PROGRAM + " serve --port " + port +
                                " --dir state --scale 1 --threads 1 " + options + " >url.txt 2>service.txt </dev/null";
    service_ = fork();
    ASSERT_GE(service_, 0);
    if (service_ == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    while (contents(file("url.txt")).find('\n') == std::string::npos) {
      if (waitpid(service_, nullptr, WNOHANG) == service_) {
        service_ = -1;
        FAIL() << contents(file("service.txt"));
      }
      pause();
    }
    url_ = contents(file("url.txt"));
    url_ = url_.substr(0, url_.find_last_of('/'));
  }
  // -> its exit code, or 128 + signal
  int end(int signal) {
    if (service_ <= 0) return -1;
    int status = 0;
    kill(service_, signal);
    waitpid(service_, &status, 0);
    service_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  // Renderers at work, which run in folders of the service. One that was just killed may take a moment to go.
  [[nodiscard]] std::vector<pid_t> renderers() const {
    std::vector<pid_t> found;
    for (const auto& process : fs::directory_iterator("/proc")) {
      std::error_code gone;
      const std::string at = fs::read_symlink(process.path() / "cwd", gone).string();
      if (at.starts_with(file("state/videos").string())) found.push_back(std::stoi(process.path().filename()));
    }
    return found;
  }

  [[nodiscard]] httplib::Client client() const {
    httplib::Client client(url_);
    client.set_read_timeout(60);
    return client;
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

  // The answer's JSON; its status must be this one.
  [[nodiscard]] json expect(const httplib::Result& answer, int status) const {
    EXPECT_TRUE(answer) << httplib::to_string(answer.error());
    if (!answer) return {};
    EXPECT_EQ(answer->status, status) << answer->body << contents(file("service.txt"));
    return json::parse(answer->body, nullptr, false);
  }
  [[nodiscard]] json get(const std::string& path, int status = 200) const { return expect(client().Get(path), status); }
  [[nodiscard]] json post(const std::string& path, const json& body, int status = 200) const {
    return expect(client().Post(path, body.dump(), "application/json"), status);
  }
  [[nodiscard]] std::string create(const std::string& text) const { return post("/v1/videos", {{"prompt", text}}).value("id", ""); }
  [[nodiscard]] json video(const std::string& id) const { return get("/v1/videos/" + id); }
  // Waits until a video has one of these states.
  [[nodiscard]] json wait_for(const std::string& id, const std::vector<std::string>& states) const {
    for (;;) {
      const json now = video(id);
      if (now.is_discarded() || std::find(states.begin(), states.end(), now.value("status", "gone")) != states.end()) return now;
      if (!now.contains("status")) return now;
      pause();
    }
  }

  pid_t service_ = -1;
  std::string url_;
};

class Service : public Served {
 protected:
  // A form, as the openai client sends it.
  [[nodiscard]] json create_by_form(const httplib::MultipartFormDataItems& fields) const {
    return expect(client().Post("/v1/videos", fields), 200);
  }

  // Follows the events of a video until it ends. -> what they said of it, in order
  [[nodiscard]] std::vector<json> followed(const std::string& id) const {
    std::vector<json> said;
    std::string text;
    (void)client().Get("/v1/events?video=" + id, [&](const char* data, std::size_t size) {
      text.append(data, size);
      for (std::size_t end = 0; (end = text.find("\n\n")) != std::string::npos; text.erase(0, end + 2)) {
        const std::size_t at = text.find("data: ");
        if (at < end) said.push_back(json::parse(text.substr(at + 6, end - at - 6)));
      }
      return said.empty() || said.back()["status"] == "queued" || said.back()["status"] == "in_progress";
    });
    return said;
  }

  [[nodiscard]] std::string content(const std::string& id, const std::string& variant, const char* type) const {
    const auto answer = client().Get("/v1/videos/" + id + "/content?variant=" + variant);
    EXPECT_TRUE(answer && answer->status == 200) << variant;
    if (!answer) return {};
    EXPECT_EQ(answer->get_header_value("Content-Type"), type) << variant;
    return answer->body;
  }

  void expect_part(const std::string& id, const std::string& range, int status, const std::string& bytes, const std::string& of) const {
    const auto part = client().Get("/v1/videos/" + id + "/content", {{"Range", range}});
    ASSERT_TRUE(part) << range;
    EXPECT_EQ(part->status, status) << range;
    EXPECT_TRUE(status == 416 || part->body == bytes) << range << ": " << part->body.size() << " bytes";
    EXPECT_EQ(part->get_header_value("Content-Range"), of) << range;
  }
};

TEST_F(Service, AVideoIsMadeFollowedAndFetched) {
  serve("--steps 1");
  const json created = create_by_form({{"prompt", prompt, "", ""}, {"model", "nano", "", ""}, {"seed", "3", "", ""}});
  const std::string id = created["id"];
  EXPECT_TRUE(std::regex_match(id, std::regex("video_[0-9a-f]{32}"))) << id;
  EXPECT_EQ(created["object"], "video");
  EXPECT_EQ(created["prompt"], prompt);
  EXPECT_GT(created["created_at"], 1700000000);
  EXPECT_EQ(get("/v1/videos/" + id + "/content", created["status"] == "completed" ? 200 : 404)["error"]["code"], "video_not_ready");

  const std::vector<json> events = followed(id);
  ASSERT_GE(events.size(), 2U);
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_GE(events[i]["progress"], events[i - 1]["progress"]);
  const json done = events.back();
  ASSERT_EQ(done["status"], "completed") << done;
  EXPECT_EQ(done["progress"], 100);
  EXPECT_EQ(done["size"], "224x128");
  EXPECT_EQ(done["fabula"]["title"], "Crab on the Beach");
  EXPECT_EQ(done["fabula"]["posters"], json::array({"s010"}));

  // The same film as `render` makes.
  ASSERT_EQ(
      fabula("render --no-cast --subtitles=srt,vtt --steps 1 --scale 1 --threads 1 --seed 3 -q -o same.mp4 '" + std::string(prompt) + "'")
          .code,
      0);
  const std::string film = content(id, "video", "video/mp4"), size = std::to_string(film.size());
  EXPECT_TRUE(film == contents(file("same.mp4")));
  expect_part(id, "bytes=10-19", 206, film.substr(10, 10), "bytes 10-19/" + size);
  expect_part(id, "bytes=-5", 206, film.substr(film.size() - 5),
              "bytes " + std::to_string(film.size() - 5) + "-" + std::to_string(film.size() - 1) + "/" + size);
  expect_part(id, "bytes=100-99999999999", 206, film.substr(100), "bytes 100-" + std::to_string(film.size() - 1) + "/" + size);
  expect_part(id, "bytes=" + size + "-", 416, "", "bytes */" + size);
  expect_part(id, "bytes=1-2,4-5", 200, film, "");
  expect_part(id, "bytes=99999999999999999999-", 416, "", "");

  EXPECT_EQ(content(id, "thumbnail", "image/jpeg").substr(0, 2), "\xFF\xD8");
  EXPECT_EQ(content(id, "thumbnail&shot=s010", "image/jpeg").substr(0, 2), "\xFF\xD8");
  EXPECT_EQ(content(id, "spritesheet", "image/jpeg").substr(0, 2), "\xFF\xD8");
  EXPECT_NE(content(id, "subtitles", "text/vtt; charset=utf-8").find("hello moon"), std::string::npos);
  EXPECT_EQ(json::parse(content(id, "receipt", "application/json"))["seed"], 3);
  EXPECT_EQ(json::parse(content(id, "plan", "application/json"))["shots"].size(), 1U);
  const json clip = json::parse(content(id, "timeline", "application/json"))["tracks"]["children"][0]["children"][0];
  EXPECT_EQ(clip["media_references"]["DEFAULT_MEDIA"]["target_url"], id + ".mp4");
  EXPECT_EQ(clip["source_range"]["start_time"]["value"], 0.0);

  const json models = get("/v1/models");
  EXPECT_EQ(models["data"][0]["id"], "nano");
  EXPECT_EQ(get("/health")["status"], "ok");
  const auto metrics = client().Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_NE(metrics->body.find("\nfabula_videos_ended_total{how=\"completed\"} 1\n"), std::string::npos) << metrics->body;
  EXPECT_EQ(end(SIGTERM), 0);
}

// A service that is killed in the middle loses nothing; its renderer does not outlive it, and a step ends what is cancelled.
TEST_F(Service, AKilledServiceGoesOnWithItsQueue) {
  serve("--steps 1000");
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(create(prompt));
  const json making = wait_for(ids[0], {"in_progress", "failed"});
  ASSERT_EQ(making["status"], "in_progress") << making;
  for (json now = making; now["fabula"].value("stage", "") != "shots"; now = video(ids[0])) {
    ASSERT_EQ(now["status"], "in_progress") << now;
    pause();
  }
  const json plan = get("/v1/videos/" + ids[0] + "/content?variant=plan");
  EXPECT_EQ(plan["shots"][0]["id"], "s010") << "the plan is there before the film";
  EXPECT_EQ(video(ids[2])["fabula"]["ahead"], 1);
  EXPECT_EQ(renderers().size(), 1U);
  EXPECT_EQ(end(SIGKILL), 128 + SIGKILL);
  for (int i = 0; i < 500 && !renderers().empty(); ++i) pause();
  EXPECT_TRUE(renderers().empty()) << "a renderer has outlived its service";

  serve("--steps 1000");
  const json list = get("/v1/videos?order=asc&limit=3");
  ASSERT_EQ(list["data"].size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(list["data"][i]["id"], ids[i]);
  EXPECT_EQ(list["has_more"], true);
  EXPECT_EQ(get("/v1/videos?order=asc&after=" + ids[2])["data"][0]["id"], ids[3]);
  EXPECT_EQ(wait_for(ids[0], {"in_progress", "failed"})["status"], "in_progress");

  // Another plan of the one that is being made: a line, and a seed of one shot.
  while (client().Get("/v1/videos/" + ids[0] + "/content?variant=plan")->status != 200) pause();
  const json remixed = post("/v1/videos/" + ids[0] + "/remix", {{"shot", "s010"}, {"lines", {"good night"}}, {"seed", 77}});
  EXPECT_EQ(remixed["remixed_from_video_id"], ids[0]);
  EXPECT_EQ(remixed["status"], "queued");
  EXPECT_EQ(post("/v1/videos/" + ids[0] + "/remix", {{"shot", "s010"}}, 400)["error"]["param"], "prompt");
  EXPECT_EQ(post("/v1/videos/" + ids[0] + "/remix", {{"shot", "s990"}, {"seed", 1}}, 400)["error"]["param"], "shot");
  EXPECT_EQ(post("/v1/videos/" + ids[3] + "/remix", {{"seed", 1}}, 409)["error"]["code"], "not_ready");

  // Waiting ones go at once, the one that is being made within a step.
  EXPECT_EQ(post("/v1/videos/" + ids[1] + "/cancel", json::object())["error"]["code"], "cancelled");
  EXPECT_EQ(expect(client().Delete("/v1/videos/" + ids[2]), 200)["deleted"], true);
  EXPECT_EQ(get("/v1/videos/" + ids[2], 404)["error"]["code"], "not_found");
  (void)post("/v1/videos/" + ids[0] + "/cancel", json::object());
  EXPECT_EQ(wait_for(ids[0], {"failed", "completed"})["error"]["code"], "cancelled");
  EXPECT_EQ(expect(client().Delete("/v1/videos/" + ids[0]), 200)["object"], "video.deleted");
  EXPECT_FALSE(fs::exists(file("state/videos/" + ids[0])));

  // The next one's turn; a service that is stopped puts it back. After it the remix comes, with its plan.
  EXPECT_EQ(wait_for(ids[3], {"in_progress", "failed"})["status"], "in_progress");
  EXPECT_EQ(end(SIGTERM), 0);
  serve("--steps 1000");
  EXPECT_EQ(wait_for(ids[3], {"in_progress", "failed"})["status"], "in_progress");
  (void)expect(client().Delete("/v1/videos/" + ids[3]), 200);
  const std::string last = remixed["id"];
  EXPECT_EQ(wait_for(last, {"in_progress", "failed"})["status"], "in_progress");
  while (client().Get("/v1/videos/" + last + "/content?variant=plan")->status != 200) pause();
  const json shot = get("/v1/videos/" + last + "/content?variant=plan")["shots"][0];
  EXPECT_EQ(shot["dialogue"][0]["text"], "good night");
  EXPECT_EQ(shot["seed"], 77);
  EXPECT_EQ(end(SIGKILL), 128 + SIGKILL);
}

// One film's end is its own.
TEST_F(Service, AFilmThatCrashesOrTakesTooLongTakesNothingWithIt) {
  serve("--steps 1000 --longest 3");
  const std::string crashed = create(prompt), late = create(prompt);
  EXPECT_EQ(wait_for(crashed, {"in_progress", "failed"})["status"], "in_progress");
  for (std::vector<pid_t> found; found.empty(); pause()) {
    found = renderers();
    if (!found.empty()) kill(found.front(), SIGSEGV);
  }
  EXPECT_EQ(wait_for(crashed, {"failed", "completed"})["error"]["code"], "crashed");
  const json ended = wait_for(late, {"failed", "completed"});
  EXPECT_EQ(ended["error"]["code"], "timed_out") << ended;
  EXPECT_EQ(get("/health")["status"], "ok");
  const auto metrics = client().Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_NE(metrics->body.find("\nfabula_videos_ended_total{how=\"failed\"} 2\n"), std::string::npos) << metrics->body;
}

TEST_F(Service, WhatIsWrongIsRefusedByName) {
  serve("--steps 1000 --queue 2");
  const auto refused = [&](const json& body, int status, const std::string& code, const std::string& field) {
    const json error = post("/v1/videos", body, status)["error"];
    EXPECT_EQ(error["code"], code) << body.dump().substr(0, 200);
    EXPECT_EQ(error["param"], field.empty() ? json(nullptr) : json(field)) << body.dump().substr(0, 200);
    EXPECT_TRUE(error["message"].is_string() && error["type"].is_string());
  };
  refused(json::object(), 400, "invalid_value", "prompt");
  refused({{"prompt", " \n"}}, 400, "invalid_value", "prompt");
  refused({{"prompt", 7}}, 400, "invalid_value", "prompt");
  refused({{"prompt", std::string(20000, 'a')}}, 400, "invalid_value", "prompt");
  refused({{"prompt", std::string("a\0b", 3)}}, 400, "invalid_value", "prompt");
  refused({{"prompt", prompt}, {"model", "sora-2"}}, 404, "model_not_found", "model");
  refused({{"prompt", prompt}, {"seconds", "1e9"}}, 400, "invalid_value", "seconds");
  refused({{"prompt", prompt}, {"seconds", -4}}, 400, "invalid_value", "seconds");
  refused({{"prompt", prompt}, {"size", "99999x2"}}, 400, "invalid_value", "size");
  refused({{"prompt", prompt}, {"size", "--output=/x"}}, 400, "invalid_value", "size");
  refused({{"prompt", prompt}, {"seed", "-1"}}, 400, "invalid_value", "seed");
  refused({{"prompt", prompt}, {"steps", 100000}}, 400, "invalid_value", "steps");
  refused({{"prompt", prompt}, {"output", "/etc/passwd"}}, 400, "unknown_parameter", "output");
  refused({{"prompt", prompt}, {"input_reference", "file:///etc/passwd"}}, 400, "unsupported", "input_reference");
  refused(json::array(), 400, "invalid_json", "");
  refused({{"plan", "no plan"}}, 400, "invalid_value", "plan");

  // A plan must not name files: a person's picture would be read.
  const Result planned = fabula("plan --oracle --no-cast '" + std::string(prompt) + "'");
  ASSERT_EQ(planned.code, 0) << planned.err;
  json plan = json::parse(planned.out);
  plan["characters"][0]["ref_images"] = {"/etc/passwd"};
  refused({{"plan", plan}}, 400, "invalid_value", "plan");

  for (const std::string body : {"{", "{\"prompt\": \"a\", \"prompt\": \"b\"}", "\xFF\xFE"}) {
    EXPECT_EQ(expect(client().Post("/v1/videos", body, "application/json"), 400)["error"]["type"], "invalid_request_error") << body;
  }
  std::string deep = "{\"prompt\": ";
  for (int i = 0; i < 300000; ++i) deep += '[';
  EXPECT_EQ(expect(client().Post("/v1/videos", deep, "application/json"), 400)["error"]["code"], "invalid_json");
  (void)expect(client().Post("/v1/videos", "prompt=a", "application/x-www-form-urlencoded"), 415);
  (void)expect(client().Post("/v1/videos", std::string((1U << 20U) + 1, 'a'), "application/json"), 413);
  (void)expect(client().Post("/v1/videos", httplib::MultipartFormDataItems{{"prompt", std::string(2U << 20U, 'a'), "", ""}}), 413);
  (void)expect(client().Post("/v1/videos", {{"Content-Encoding", "gzip"}}, "{}", "application/json"), 415);
  (void)expect(client().Post("/v1/videos", {{"Transfer-Encoding", "chunked"}}, "", "application/json"), 411);

  for (const std::string path :
       {"/v1/videos/video_0", "/v1/videos/../../etc/passwd", "/v1/videos/..%2f..%2fetc%2fpasswd", "/nothing", "/videos.db"})
    EXPECT_EQ(get(path, 404)["error"]["type"], "invalid_request_error") << path;
  const std::string nobody = "/v1/videos/video_" + std::string(32, '0');
  (void)get(nobody, 404);
  (void)get(nobody + "/content", 404);
  (void)expect(client().Delete(nobody), 404);
  EXPECT_EQ(get("/v1/videos?limit=1000", 400)["error"]["param"], "limit");
  EXPECT_EQ(get("/v1/videos?after=x", 400)["error"]["param"], "after");

  // Two fit into the queue.
  const std::string first = create(prompt);
  (void)create(prompt);
  const auto third = client().Post("/v1/videos", json{{"prompt", prompt}}.dump(), "application/json");
  EXPECT_EQ(expect(third, 429)["error"]["code"], "queue_full");
  EXPECT_FALSE(third->get_header_value("Retry-After").empty());
  for (const char* shot : {"../../../videos", "..%2fasked", "s010/..%2f"})
    EXPECT_EQ(client().Get("/v1/videos/" + first + "/content?variant=thumbnail&shot=" + shot)->status, 404) << shot;
  EXPECT_EQ(client().Get("/v1/videos/" + first + "/content?variant=asked.txt")->status, 400);
}

TEST_F(Service, OtherPagesAndStrangersAreKeptOut) {
  serve("--steps 1000");
  const auto status = [&](const httplib::Headers& headers, bool post) {
    httplib::Client to = client();
    const auto answer = post ? to.Post("/v1/videos", headers, "{}", "application/json") : to.Get("/v1/videos", headers);
    return answer ? answer->status : -1;
  };
  EXPECT_EQ(status({}, false), 200);
  EXPECT_EQ(status({{"Host", "evil.example"}}, false), 403) << "a name that was pointed here";
  EXPECT_EQ(status({{"Origin", "http://evil.example"}}, true), 403);
  EXPECT_EQ(status({{"Origin", "null"}}, true), 403);
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}, true), 403);
  EXPECT_EQ(status({{"Origin", url_}}, true), 400) << "the page itself may ask; the body lacks a prompt";
  EXPECT_EQ(client().Get("/", {{"Host", "localhost"}})->status, 200);
  const auto page = client().Get("/");
  ASSERT_TRUE(page);
  EXPECT_NE(page->body.find("<title>Fabula</title>"), std::string::npos);
  EXPECT_NE(page->get_header_value("Content-Security-Policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(client().Get("/page.css")->get_header_value("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(client().Get("/page.js")->get_header_value("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(page->body.find("http"), std::string::npos) << "nothing of the page comes from elsewhere";
  EXPECT_EQ(fabula("serve --port 0 --dir state").code, 74) << "one service a folder";
  EXPECT_EQ(fabula("serve --port " + url_.substr(url_.rfind(':') + 1) + " --dir other").code, 69) << "one service a port";
  end(SIGKILL);

  EXPECT_EQ(fabula("serve --host 0.0.0.0 --port 0 --dir state").code, 2) << "others would get in";
  std::ofstream(file("short")) << "abc\n";
  EXPECT_EQ(fabula("serve --port 0 --dir state --token-file short").code, 65);
  std::ofstream(file("token")) << "0123456789abcdefghij\n";
  serve("--steps 1000 --token-file token");
  EXPECT_EQ(status({}, false), 401);
  EXPECT_EQ(status({}, true), 401);
  EXPECT_EQ(status({{"Authorization", "Bearer 0123456789abcdefghiJ"}}, false), 401);
  EXPECT_EQ(status({{"Authorization", "Bearer "}}, false), 401);
  const httplib::Headers bearer = {{"Authorization", "Bearer 0123456789abcdefghij"}};
  EXPECT_EQ(status(bearer, false), 200);
  EXPECT_EQ(status(bearer, true), 400);
  EXPECT_EQ(client().Get("/")->status, 200) << "where the token is asked for";
  EXPECT_EQ(client().Get("/health")->status, 200);
  EXPECT_EQ(client().Get("/metrics")->status, 401);
  EXPECT_EQ(client().Post("/session", httplib::Headers{}, "{}", "application/json")->status, 401);
  const auto session = client().Post("/session", bearer, "{}", "application/json");
  ASSERT_TRUE(session);
  const std::string cookie = session->get_header_value("Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos) << cookie;
  EXPECT_EQ(cookie.find("0123456789abcdefghij"), std::string::npos) << "the token itself is not in it";
  EXPECT_EQ(status({{"Cookie", "a=b; " + cookie.substr(0, cookie.find(';'))}}, false), 200);
  EXPECT_EQ(status({{"Cookie", "fabula_session="}}, false), 401);
}

// Twenty clients ask while the service is killed. FABULA_LOAD=200 makes so many films to their end, with a second kill half-way.
TEST_F(Service, TwentyClientsAndAKillLoseNothing) {
  const char* load = std::getenv("FABULA_LOAD");
  const std::size_t all = load != nullptr ? std::stoul(load) : 60, clients = 20;
  const std::string options = std::string("--queue 1000 --steps ") + (load != nullptr ? "1" : "1000");
  serve(options);
  const std::string port = url_.substr(url_.rfind(':') + 1);
  std::mutex mutex;
  std::set<std::string> accepted;
  std::atomic<std::size_t> next = 0;
  const auto ask = [&] {
    for (std::size_t i = 0; (i = next++) < all;) {
      const std::string body = json{{"prompt", prompt}, {"seed", i}}.dump();
      for (bool is_accepted = false; !is_accepted; pause()) {  // the service is away for a while
        const auto answer = client().Post("/v1/videos", body, "application/json");
        is_accepted = answer && answer->status == 200;
        const std::scoped_lock lock(mutex);
        if (is_accepted) accepted.insert(json::parse(answer->body)["id"].get<std::string>());
      }
    }
  };
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    return accepted.size();
  };
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients; ++i) threads.emplace_back(ask);
  while (count() < all / 2) pause();
  EXPECT_EQ(end(SIGKILL), 128 + SIGKILL);
  serve(options, port);
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu videos accepted from %zu clients in %.1f s, with a kill\n", accepted.size(), clients, seconds());

  const auto listed = [&] {
    std::map<std::string, std::string> found;
    std::string after;
    for (bool more = true; more;) {
      const json page = get("/v1/videos?limit=100" + (after.empty() ? "" : "&after=" + after));
      for (const json& one : page["data"]) found[one["id"]] = one["status"];
      more = page["has_more"];
      if (more) after = page["last_id"];
    }
    return found;
  };
  const auto ended = [&] {
    const auto found = listed();
    return std::count_if(found.begin(), found.end(), [](const auto& one) { return one.second == "completed" || one.second == "failed"; });
  };
  if (load != nullptr) {
    while (ended() < static_cast<std::ptrdiff_t>(all / 2)) std::this_thread::sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(end(SIGKILL), 128 + SIGKILL);
    serve(options, port);
    while (ended() < static_cast<std::ptrdiff_t>(listed().size())) std::this_thread::sleep_for(std::chrono::seconds(1));
    std::printf("%zu films in %.1f s, with two kills\n", listed().size(), seconds());
    for (const std::string& id : accepted) EXPECT_EQ(content(id, "video", "video/mp4").substr(4, 4), "ftyp") << id;
  }
  const auto found = listed();
  EXPECT_EQ(accepted.size(), all);
  for (const std::string& id : accepted) EXPECT_TRUE(found.contains(id)) << id << " was accepted and is lost";
  EXPECT_EQ(end(SIGTERM), 0);
}

// Runs a script of tests/e2e with a Python that has what it needs; 3: it has not.
int script(const std::string& variable, const std::string& arguments, const fs::path& said) {
  const char* given = std::getenv(variable.c_str());
  const std::string python = given != nullptr ? given : "python3";
  const int status = std::system((python + " " + FABULA_SOURCE_DIR + "/tests/e2e/" + arguments + " >" + said.string() + " 2>&1").c_str());
  return WEXITSTATUS(status) == 127 ? 3 : WEXITSTATUS(status);
}

// FABULA_OPENAI_PYTHON names a Python that has the package openai.
TEST_F(Service, OpenAIsOwnClientDrivesIt) {
  serve("--steps 1");
  const int code =
      script("FABULA_OPENAI_PYTHON", "openai_client.py " + url_ + " '" + prompt + "' " + file("film.mp4").string(), file("said.txt"));
  if (code == 3) GTEST_SKIP() << "the Python package openai is not installed: nobody but us has spoken to the service";
  ASSERT_EQ(code, 0) << contents(file("said.txt")) << contents(file("service.txt"));
  EXPECT_EQ(contents(file("film.mp4")).substr(4, 4), "ftyp");
}

// FABULA_SELENIUM_PYTHON names a Python that has the package selenium; FABULA_SCREENSHOTS a folder for what was seen.
TEST_F(Service, APersonMakesAndEditsAFilmOnThePage) {
  serve("--steps 1");
  const char* kept = std::getenv("FABULA_SCREENSHOTS");
  const int code = script("FABULA_SELENIUM_PYTHON",
                          "serve_page.py " + url_ + " '" + prompt + "' " + (kept != nullptr ? kept : folder_.string()), file("said.txt"));
  if (code == 3) GTEST_SKIP() << "Selenium or Chromium is not installed: nobody has used the page";
  EXPECT_EQ(code, 0) << contents(file("said.txt")) << contents(file("service.txt"));
}

}  // namespace
}  // namespace fabula
