// The handlers of requests. Every answer that is no file is JSON, errors included.
#include "tools/serve/routes.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "planner/schema/schema.h"
#include "tools/serve/answers.h"
#include "tools/serve/delivery.h"
#include "tools/serve/page.h"

namespace fabula::serve {

namespace fs = std::filesystem;
using httplib::Request;
using httplib::Response;

namespace {

constexpr const char* json_type = "application/json";
constexpr std::int64_t most_watchers = 32;
constexpr const char* video_path = R"(/v1/videos/(video_[0-9a-f]{32}))";

void answer(Response& res, const std::string& json, int status = 200) {
  res.status = status;
  res.set_content(json, json_type);
}

void refuse(Response& res, const Refused& refused) {
  answer(res, error_json(refused.status(), refused.what(), refused.code(), refused.field()), refused.status());
  if (refused.status() == 401) res.set_header("WWW-Authenticate", "Bearer");
  if (refused.status() == 429) res.set_header("Retry-After", "10");
}

// Runs a handler for those who may ask, and answers what it throws.
template <typename Body>
void guarded(const Desk& desk, const Request& req, Response& res, Body&& body) {
  const auto header = [&](const char* name) { return req.get_header_value(name); };
  const std::string host = header("Host"), origin = header("Origin"), site = header("Sec-Fetch-Site"), bearer = header("Authorization"),
                    cookie = header("Cookie");
  try {
    const Guard::Refusal refusal = desk.guard.refusal({req.method, req.path, host, origin, site, bearer, cookie});
    if (refusal.status != 0) throw Refused(refusal.status, refusal.message, refusal.code);
    body();
  } catch (const Refused& refused) {
    refuse(res, refused);
  } catch (const Error& error) {
    refuse(res, {500, error.what(), "internal"});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fabula: %s %s: %s\n", req.method.c_str(), req.path.c_str(), error.what());
    refuse(res, {500, "the request could not be answered", "internal"});
  }
}

Job known(const Desk& desk, const std::string& id) {
  const std::optional<Job> job = desk.store.find(id);
  if (!job) throw Refused(404, "there is no video " + id, "not_found", "video_id");
  return *job;
}

// ---- bodies

// The fields of a JSON object or of a form. The body is read to its end, or to its limit, so that the connection can go on.
Fields fields_of(const Request& req, const httplib::ContentReader& read, std::size_t most_bytes) {
  Fields fields;
  std::string body, *at = nullptr;
  std::size_t bytes = 0;
  bool is_twice = false;
  const auto take = [&](const char* data, std::size_t size, std::string& into) {
    bytes += size;
    if (bytes <= most_bytes) into.append(data, size);
    return bytes <= most_bytes;
  };
  bool is_whole = false;
  if (req.is_multipart_form_data()) {
    is_whole = read(
        [&](const httplib::MultipartFormData& part) {
          const auto [field, is_new] = fields.emplace(part.name, Field{"", true});
          is_twice = is_twice || !is_new;
          at = &field->second.text;
          return fields.size() <= 64;
        },
        [&](const char* data, std::size_t size) { return at != nullptr && take(data, size, *at); });
  } else {
    is_whole = read([&](const char* data, std::size_t size) { return take(data, size, body); });
  }
  if (!is_whole && (bytes > most_bytes || req.get_header_value<std::uint64_t>("Content-Length") > most_bytes))
    throw Refused(413, "the body is larger than " + std::to_string(most_bytes) + " bytes", "too_large");
  if (!is_whole) throw Refused(400, "the body ends early or is no form", "invalid_body");
  if (is_twice) throw Refused(400, "a parameter is given twice", "invalid_value");
  if (req.is_multipart_form_data()) return fields;
  const std::string type = req.get_header_value("Content-Type");
  if (!type.empty() && !type.starts_with(json_type))
    throw Refused(415, "the body is neither application/json nor multipart/form-data", "unsupported_type");
  return body.empty() ? fields : fields_of_json(body);
}

// ---- videos

Seen seen(const Desk& desk, const Job& job) {
  Seen seen{.job = job, .live = desk.board.live(job.id), .ahead = 0, .files = {}, .posters = {}, .title = {}, .total_ms = 0};
  if (job.status == Status::queued) seen.ahead = desk.store.ahead_of(job);
  const fs::path folder = desk.worker.folder_of(job.id);
  std::error_code ignored;
  for (const Variant& one : variants()) {
    if (one.only_complete && job.status != Status::completed) continue;
    if (fs::is_regular_file(folder / one.file, ignored)) seen.files.emplace_back(one.name);
  }
  for (const auto& entry : fs::directory_iterator(folder / "posters", ignored)) {
    if (entry.path().extension() == ".jpg") seen.posters.push_back(entry.path().stem());
  }
  std::sort(seen.posters.begin(), seen.posters.end());
  if (!seen.posters.empty()) seen.files.emplace_back("thumbnail");
  if (const auto result = nlohmann::json::parse(job.result, nullptr, false); result.is_object()) {
    seen.title = result.value("title", "");
    seen.total_ms = result.value("total_ms", 0);
    seen.files.emplace_back("timeline");
  } else if (const std::optional<plan::Film> film = plan_in(folder)) {
    seen.title = film->title;
    seen.total_ms = film->total_ms;
  }
  return seen;
}

std::string video(const Desk& desk, const Job& job) { return video_json(seen(desk, job), desk.options.model); }

void enqueue(const Desk& desk, Job& job, Response& res) {
  const Limits& limits = desk.options.limits;
  switch (desk.store.add(job, limits)) {
    case JobStore::Added::queue_is_full:
      throw Refused(429, std::to_string(limits.queued) + " videos wait or are being made, and no more are taken; try again later",
                    "queue_full");
    case JobStore::Added::store_is_full:
      throw Refused(429, std::to_string(limits.kept) + " videos are kept, and no more are taken until one is deleted", "too_many_videos");
    case JobStore::Added::yes:
      break;
  }
  ++desk.counters.created;
  desk.worker.wake();
  desk.board.touch(job.id);
  answer(res, video(desk, job));
}

void create(const Desk& desk, const Fields& fields, Response& res) {
  Job job = ordered(fields, desk.options.model, desk.options.editor.world, desk.options.order);
  enqueue(desk, job, res);
}

void remix(const Desk& desk, const std::string& id, const Fields& fields, Response& res) {
  const Job from = known(desk, id);
  const std::optional<plan::Film> film = plan_in(desk.worker.folder_of(id));
  if (!film) throw Refused(409, "this video has no plan yet", "not_ready", "video_id");
  Job job;
  job.options = from.options;
  job.options.erase("duration");  // the plan has its length
  job.plan = plan::to_json(remixed(*film, fields, desk.options.editor, job.options));
  job.prompt = from.prompt;
  job.remixed_from = id;
  job.id = new_id();
  job.created = now_s();
  enqueue(desk, job, res);
}

std::int64_t limit_in(const Request& req) {
  constexpr std::int64_t usual = 20, most = 100;
  if (!req.has_param("limit")) return usual;
  return whole_number({{"limit", {req.get_param_value("limit"), true}}}, "limit", 1, most);
}

void list(const Desk& desk, const Request& req, Response& res) {
  const std::int64_t limit = limit_in(req);
  const std::string after = req.get_param_value("after"), order = req.has_param("order") ? req.get_param_value("order") : "desc";
  if (order != "asc" && order != "desc") throw Refused(400, "order is asc or desc", "invalid_value", "order");
  if (!after.empty() && (!is_id(after) || !desk.store.find(after))) throw Refused(400, "after names no video", "invalid_value", "after");
  std::vector<Job> jobs = desk.store.list(after, limit + 1, order == "asc");
  const bool has_more = jobs.size() > static_cast<std::size_t>(limit);
  if (has_more) jobs.pop_back();
  std::vector<std::string> objects;
  objects.reserve(jobs.size());
  for (const Job& job : jobs) objects.push_back(video(desk, job));
  answer(res, list_json(objects, jobs.empty() ? "" : jobs.front().id, jobs.empty() ? "" : jobs.back().id, has_more));
}

void cancel(const Desk& desk, const std::string& id, Response& res) {
  switch (desk.worker.cancel(id)) {
    case Worker::Stopped::no_such_video:
      (void)known(desk, id);
      break;
    case Worker::Stopped::had_ended:
      throw Refused(409, "the video has ended already", "had_ended", "video_id");
    case Worker::Stopped::yes:
      break;
  }
  answer(res, video(desk, known(desk, id)));
}

// ---- files

// Sends a file, or the part of it that the request asks for.
void send_file(const Request& req, Response& res, const fs::path& file, const char* type, const std::string& name) {
  const auto in = std::make_shared<std::ifstream>(file, std::ios::binary);
  std::error_code failed;
  const std::uint64_t size = fs::file_size(file, failed);
  if (!*in || failed) throw Refused(404, "the file is gone", "not_found", "variant");
  Part part{0, size};
  res.status = 200;
  res.set_header("Accept-Ranges", "bytes");
  res.set_header("Content-Disposition", std::string(req.has_param("download") ? "attachment" : "inline") + "; filename=\"" + name + "\"");
  if (const std::optional<Part> asked = part_of(req.get_header_value("Range"), size)) {
    if (asked->bytes == 0) {
      res.set_header("Content-Range", "bytes */" + std::to_string(size));
      throw Refused(416, "the file has " + std::to_string(size) + " bytes", "invalid_range", "Range");
    }
    part = *asked;
    res.status = 206;
    res.set_header("Content-Range",
                   "bytes " + std::to_string(part.first) + "-" + std::to_string(part.first + part.bytes - 1) + "/" + std::to_string(size));
  }
  if (part.bytes == 0) return res.set_content("", type);
  res.set_content_provider(part.bytes, type, [in, part](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
    constexpr std::size_t most = std::size_t{256} << 10U;
    std::string bytes(std::min(length, most), '\0');
    in->clear();
    in->seekg(static_cast<std::streamoff>(part.first + offset));
    in->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return in->gcount() > 0 && sink.write(bytes.data(), static_cast<std::size_t>(in->gcount()));
  });
}

void send_timeline(const Desk& desk, const Job& job, Response& res) {
  const std::optional<plan::Film> film = plan_in(desk.worker.folder_of(job.id));
  const auto result = nlohmann::json::parse(job.result, nullptr, false);
  if (!film || !result.is_object()) throw Refused(404, "this video is not ready yet", "video_not_ready", "variant");
  res.status = 200;
  res.set_content(timeline_of_film(*film, job.id + ".mp4", result.value("width", 0), result.value("height", 0)), json_type);
  res.set_header("Content-Disposition", "attachment; filename=\"" + job.id + ".otio\"");
}

void content(const Desk& desk, const std::string& id, const Request& req, Response& res) {
  const Job job = known(desk, id);
  const fs::path folder = desk.worker.folder_of(id);
  const std::string variant = req.has_param("variant") ? req.get_param_value("variant") : "video";
  if (variant == "timeline") return send_timeline(desk, job, res);
  if (variant == "thumbnail") {
    const fs::path poster = poster_of(folder, req.get_param_value("shot"));
    if (poster.empty()) throw Refused(404, "there is no such picture yet", "video_not_ready", "variant");
    return send_file(req, res, poster, "image/jpeg", id + ".jpg");
  }
  const Variant* found = variant_named(variant);
  if (found == nullptr)
    throw Refused(400, "variant is video, thumbnail, spritesheet, subtitles, srt, receipt, plan or timeline", "invalid_value", "variant");
  std::error_code ignored;
  if ((found->only_complete && job.status != Status::completed) || !fs::is_regular_file(folder / found->file, ignored))
    throw Refused(404, job.status == Status::completed ? "this video has none" : "this video is not ready yet", "video_not_ready",
                  "variant");
  send_file(req, res, folder / found->file, found->type, id + found->ending);
}

// ---- events

// What one client is sent: the videos that change, all or one.
class Watcher {
 public:
  Watcher(const Desk& desk, std::string only) : desk_(desk), only_(std::move(only)), version_(desk.board.version()) {}

  // Waits for something to say; empty: the service ends.
  std::string next() {
    if (is_first_) {
      is_first_ = false;
      return ": fabula\nretry: 2000\n\n" + (only_.empty() ? "" : event_of(only_));
    }
    constexpr std::chrono::seconds silence{5};  // then a comment, which fails where the client is gone
    const Board::Changes changes = desk_.board.wait(version_, silence);
    version_ = changes.version;
    if (desk_.board.is_closed()) return {};
    if (changes.all) return "event: reload\ndata: {}\n\n";
    std::string events;
    for (const std::string& id : changes.ids) events += only_.empty() || id == only_ ? event_of(id) : "";
    return events.empty() ? ": still here\n\n" : events;
  }

 private:
  [[nodiscard]] std::string event_of(const std::string& id) const {
    const std::optional<Job> job = desk_.store.find(id);
    return job ? "event: video\ndata: " + video(desk_, *job) + "\n\n" : "event: removed\ndata: " + deleted_json(id) + "\n\n";
  }

  const Desk& desk_;
  std::string only_;
  std::uint64_t version_;
  bool is_first_ = true;
};

// Server-sent events, until the client goes.
void watch(const Desk& desk, const Request& req, Response& res) {
  const std::string only = req.get_param_value("video");
  if (!only.empty()) (void)known(desk, only);
  if (++desk.counters.watching > most_watchers) {
    --desk.counters.watching;
    throw Refused(429, "too many clients follow events", "too_many_watchers");
  }
  const auto watcher = std::make_shared<Watcher>(desk, only);
  res.set_header("X-Accel-Buffering", "no");
  res.status = 200;
  const auto send = [watcher](std::size_t, httplib::DataSink& sink) {
    try {
      const std::string text = watcher->next();
      return !text.empty() && sink.write(text.data(), text.size());
    } catch (const std::exception&) {
      return false;  // the client asks again
    }
  };
  res.set_chunked_content_provider("text/event-stream", send, [&desk](bool) { --desk.counters.watching; });
}

const char* type_of(std::string_view page_file) {
  if (page_file.ends_with(".css")) return "text/css; charset=utf-8";
  return page_file.ends_with(".js") ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8";
}

// ---- the table of URLs

class Routes {
 public:
  Routes(httplib::Server& server, const Desk& desk) : server_(server), desk_(desk) {}

  void add() {
    add_videos();
    add_service();
    for (const PageFile& file : page_files()) {
      const std::string name = file.name;
      get(name == "index.html" ? "/" : "/" + name, [&file](const Request&, Response& res) {
        res.status = 200;
        res.set_content(file.bytes.data(), file.bytes.size(), type_of(file.name));
      });
    }
    add_rules();
  }

 private:
  template <typename Body>
  void get(const std::string& path, Body body) {
    server_.Get(path, [&desk = desk_, body](const Request& req, Response& res) { guarded(desk, req, res, [&] { body(req, res); }); });
  }
  template <typename Body>
  void post(const std::string& path, Body body) {
    server_.Post(path, [&desk = desk_, body](const Request& req, Response& res, const httplib::ContentReader& read) {
      Fields fields;
      std::optional<Refused> fault;
      try {
        fields = fields_of(req, read, desk.options.body_bytes);
      } catch (const Refused& refused) {
        fault = refused;
      }
      res.status = -1;
      guarded(desk, req, res, [&] {
        if (fault) throw *fault;
        body(req, fields, res);
      });
    });
  }

  void add_videos() {
    const Desk& desk = desk_;
    const std::string one = video_path;
    post("/v1/videos", [&desk](const Request&, const Fields& fields, Response& res) { create(desk, fields, res); });
    get("/v1/videos", [&desk](const Request& req, Response& res) { list(desk, req, res); });
    get(one, [&desk](const Request& req, Response& res) { answer(res, video(desk, known(desk, req.matches[1]))); });
    get(one + "/content", [&desk](const Request& req, Response& res) { content(desk, req.matches[1], req, res); });
    post(one + "/remix", [&desk](const Request& req, const Fields& fields, Response& res) { remix(desk, req.matches[1], fields, res); });
    post(one + "/cancel", [&desk](const Request& req, const Fields&, Response& res) { cancel(desk, req.matches[1], res); });
    server_.Delete(one, [&desk](const Request& req, Response& res) {
      guarded(desk, req, res, [&] {
        const std::string id = req.matches[1];
        if (!desk.worker.remove(id)) (void)known(desk, id);
        answer(res, deleted_json(id));
      });
    });
    get("/v1/events", [&desk](const Request& req, Response& res) { watch(desk, req, res); });
  }

  void add_service() {
    const Desk& desk = desk_;
    const ServiceOptions& options = desk.options;
    get("/v1/models", [&options](const Request&, Response& res) { answer(res, models_json(options.model, options.model_created)); });
    get("/health", [&desk](const Request&, Response& res) {
      (void)desk.store.counts();
      answer(res, R"({"status":"ok"})");
    });
    get("/metrics", [&desk, &options](const Request&, Response& res) {
      res.status = 200;
      res.set_content(metrics_text(desk.counters, desk.store.counts(), options.limits, options.version), "text/plain; version=0.0.4");
    });
    // Who has shown the token gets a cookie: pictures, films and events of a page cannot send a header.
    post("/session", [&desk](const Request&, const Fields&, Response& res) {
      if (desk.guard.has_token()) res.set_header("Set-Cookie", desk.guard.cookie());
      answer(res, "{}");
    });
  }

  void add_rules() {
    server_.set_default_headers(
        {{"X-Content-Type-Options", "nosniff"},
         {"X-Frame-Options", "DENY"},
         {"Referrer-Policy", "no-referrer"},
         {"Cross-Origin-Resource-Policy", "same-origin"},
         {"Cache-Control", "no-cache"},
         {"Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
          "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"}});
    server_.set_pre_routing_handler(before_routing);
    server_.set_error_handler([](const Request&, Response& res) {
      if (!res.body.empty()) return;
      answer(res,
             error_json(res.status, res.status == 404 ? "there is nothing at this address" : "the request could not be understood", "", ""),
             res.status);
    });
    server_.set_logger([&desk = desk_](const Request&, const Response& res) {
      const std::size_t hundred = static_cast<std::size_t>(std::clamp(res.status / 100, 1, 5) - 1);
      ++desk.counters.answers_by_hundred.at(hundred);
    });
  }

  // The library (0.11.4) would apply a Range to errors, too, and beyond the end of a file: parts of files are made here instead. A body in
  // chunks has no limit there, and an encoded one none either once it is decoded: both are refused, unread, and the connection ends.
  static httplib::Server::HandlerResponse before_routing(const Request& req, Response& res) {
    auto& request = const_cast<Request&>(req);  // the server's own, which is not constant
    request.ranges.clear();
    const bool is_chunked = req.has_header("Transfer-Encoding");
    if (!is_chunked && !req.has_header("Content-Encoding")) return httplib::Server::HandlerResponse::Unhandled;
    const std::string body = is_chunked ? error_json(411, "the body needs a Content-Length", "length_required", "")
                                        : error_json(415, "encoded bodies are not taken", "unsupported_type", "");
    request.headers.erase("Connection");
    request.set_header("Connection", "close");
    res.status = is_chunked ? 411 : 415;
    res.set_content_provider(body.size(), json_type, [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
      sink.write(body.data() + offset, length);
      return false;  // ends the connection
    });
    return httplib::Server::HandlerResponse::Handled;
  }

  httplib::Server& server_;
  const Desk& desk_;
};

}  // namespace

void add_routes(httplib::Server& server, const Desk& desk) { Routes(server, desk).add(); }

}  // namespace fabula::serve
