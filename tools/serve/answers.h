// What the service answers: videos, lists and errors in the form of OpenAI's videos API, and its own figures for Prometheus.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/serve/board.h"
#include "tools/serve/jobs.h"

namespace fabula::serve {

/// A video, and what is beside it.
struct Seen {
  Job job;
  Live live;
  std::int64_t ahead = 0;            ///< videos in the queue before it
  std::vector<std::string> files;    ///< names of its variants that are there
  std::vector<std::string> posters;  ///< ids of shots that have a picture
  std::string title;                 ///< of its plan; empty: not known yet
  int total_ms = 0;                  ///< of its plan; 0: not known yet
};
/// JSON. Beside OpenAI's fields there is "fabula", an object with what they have no place for.
[[nodiscard]] std::string video_json(const Seen&, const std::string& model);
/// {"object": "list", …} of JSON objects.
[[nodiscard]] std::string list_json(const std::vector<std::string>& objects, const std::string& first, const std::string& last,
                                    bool has_more);
[[nodiscard]] std::string deleted_json(const std::string& id);
[[nodiscard]] std::string models_json(const std::string& model, std::int64_t created);
/// {"error": {message, type, param, code}}. field: empty for none.
[[nodiscard]] std::string error_json(int status, const std::string& message, const std::string& code, const std::string& field);

/// Counted since the service began.
struct Counters {
  std::atomic<std::int64_t> created = 0, completed = 0, failed = 0, cancelled = 0, removed = 0, watching = 0;
  std::atomic<std::int64_t> render_ms = 0;                           ///< of the completed, all together
  std::array<std::atomic<std::int64_t>, 5> answers_by_hundred = {};  ///< HTTP 1xx to 5xx
  std::int64_t started = now_s();
};
/// Text in the Prometheus exposition format 0.0.4.
[[nodiscard]] std::string metrics_text(const Counters&, const std::map<Status, std::int64_t>& videos, const Limits&,
                                       const std::string& version);

}  // namespace fabula::serve
