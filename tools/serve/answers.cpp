// JSON of answers, field by field as in https://platform.openai.com/docs/api-reference/videos.
#include "tools/serve/answers.h"

#include <array>
#include <nlohmann/json.hpp>

namespace fabula::serve {

using nlohmann::ordered_json;

namespace {

std::string dumped(const ordered_json& object) { return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

ordered_json time_or_null(std::int64_t time) { return time > 0 ? ordered_json(time) : ordered_json(nullptr); }

ordered_json text_or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

std::string option(const Job& job, const char* name) {
  const auto found = job.options.find(name);
  return found == job.options.end() ? "" : found->second;
}

// "4" of 4000, "5.5" of 5500
std::string seconds_of(int ms) {
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 == 0) return text;
  std::string rest = std::to_string(1000 + ms % 1000).substr(1);
  rest.erase(rest.find_last_not_of('0') + 1);
  return text + "." + rest;
}

int percent(const Seen& seen) {
  if (seen.job.status == Status::completed) return 100;
  return seen.job.status == Status::in_progress ? static_cast<int>(seen.live.progress * 100.0) : 0;
}

ordered_json own_fields(const Seen& seen, const ordered_json& result) {
  ordered_json own = {
      {"number", seen.job.number}, {"title", seen.title}, {"files", seen.files}, {"posters", seen.posters}, {"total_ms", seen.total_ms}};
  if (seen.job.status == Status::queued) own["ahead"] = seen.ahead;
  if (seen.job.status == Status::in_progress) {
    own["stage"] = seen.live.stage;
    if (seen.live.shots > 0) own.update({{"shot", seen.live.shot}, {"shots", seen.live.shots}});
    if (seen.live.attempt > 0) own["attempt"] = seen.live.attempt;
    if (seen.live.seconds_left >= 0.0) own["seconds_left"] = seen.live.seconds_left;
  }
  if (result.is_object()) {
    for (const char* name : {"seed", "unsupported", "shots_made", "shots_reused", "shots_remade", "loudness_lufs"}) {
      if (result.contains(name)) own[name] = result[name];
    }
  }
  return own;
}

}  // namespace

std::string video_json(const Seen& seen, const std::string& model) {
  const Job& job = seen.job;
  const ordered_json result = ordered_json::parse(job.result, nullptr, /*allow_exceptions=*/false);
  const bool is_done = result.is_object() && result.contains("width");
  const std::string size =
      is_done ? std::to_string(result["width"].get<int>()) + "x" + std::to_string(result["height"].get<int>()) : option(job, "size");
  ordered_json video = {{"id", job.id},
                        {"object", "video"},
                        {"model", model},
                        {"status", name_of(job.status)},
                        {"progress", percent(seen)},
                        {"created_at", job.created},
                        {"completed_at", job.status == Status::completed ? time_or_null(job.finished) : ordered_json(nullptr)},
                        {"expires_at", nullptr},
                        {"seconds", text_or_null(seen.total_ms > 0 ? seconds_of(seen.total_ms) : option(job, "duration"))},
                        {"size", text_or_null(size)},
                        {"prompt", job.prompt},
                        {"remixed_from_video_id", text_or_null(job.remixed_from)},
                        {"error", nullptr},
                        {"fabula", own_fields(seen, result)}};
  if (job.status == Status::failed) video["error"] = {{"code", job.error_code}, {"message", job.error_message}};
  return dumped(video);
}

std::string list_json(const std::vector<std::string>& objects, const std::string& first, const std::string& last, bool has_more) {
  std::string data;
  for (const std::string& object : objects) data += (data.empty() ? "" : ",") + object;
  const ordered_json rest = {{"first_id", text_or_null(first)}, {"last_id", text_or_null(last)}, {"has_more", has_more}};
  return R"({"object":"list","data":[)" + data + "]," + dumped(rest).substr(1);
}

std::string deleted_json(const std::string& id) { return dumped({{"id", id}, {"object", "video.deleted"}, {"deleted", true}}); }

std::string models_json(const std::string& model, std::int64_t created) {
  return dumped({{"object", "list"},
                 {"data", ordered_json::array({{{"id", model}, {"object", "model"}, {"created", created}, {"owned_by", "fabula"}}})}});
}

std::string error_json(int status, const std::string& message, const std::string& code, const std::string& field) {
  const char* type = status == 401   ? "authentication_error"
                     : status == 429 ? "rate_limit_error"
                     : status >= 500 ? "server_error"
                                     : "invalid_request_error";
  return dumped({{"error", {{"message", message}, {"type", type}, {"param", text_or_null(field)}, {"code", text_or_null(code)}}}});
}

std::string metrics_text(const Counters& counters, const std::map<Status, std::int64_t>& videos, const Limits& limits,
                         const std::string& version) {
  std::string text;
  const auto head = [&](const char* name, const char* type, const char* help) {
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  };
  const auto value = [&](const std::string& name, std::int64_t number) { text += name + " " + std::to_string(number) + "\n"; };
  head("fabula_info", "gauge", "The program that serves.");
  value("fabula_info{version=\"" + version + "\"}", 1);
  head("fabula_start_time_seconds", "gauge", "When the service began, in seconds since 1970.");
  value("fabula_start_time_seconds", counters.started);
  head("fabula_videos", "gauge", "Videos that are kept, by status.");
  for (const auto& [status, count] : videos) value(std::string("fabula_videos{status=\"") + name_of(status) + "\"}", count);
  head("fabula_queue_limit", "gauge", "Videos that may wait or be made at a time.");
  value("fabula_queue_limit", limits.queued);
  head("fabula_videos_created_total", "counter", "Videos accepted.");
  value("fabula_videos_created_total", counters.created);
  head("fabula_videos_ended_total", "counter", "Videos that ended, by how.");
  value("fabula_videos_ended_total{how=\"completed\"}", counters.completed);
  value("fabula_videos_ended_total{how=\"failed\"}", counters.failed);
  value("fabula_videos_ended_total{how=\"cancelled\"}", counters.cancelled);
  head("fabula_render_seconds_total", "counter", "Time that the completed videos took to make.");
  const std::int64_t ms = counters.render_ms;
  text += "fabula_render_seconds_total " + std::to_string(static_cast<double>(ms) / 1000.0) + "\n";
  head("fabula_watchers", "gauge", "Clients that follow events.");
  value("fabula_watchers", counters.watching);
  head("fabula_http_answers_total", "counter", "HTTP answers, by the first digit of their status.");
  for (std::size_t i = 0; i < counters.answers_by_hundred.size(); ++i)
    value("fabula_http_answers_total{status=\"" + std::to_string(i + 1) + "xx\"}", counters.answers_by_hundred.at(i));
  return text;
}

}  // namespace fabula::serve
