// Takes a file of jobs apart; a bad job keeps its fault and stops no other.
#include "tools/batch/jobs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "planner/text/text.h"
#include "tools/batch/csv.h"

namespace fabula::batch {

namespace {

using nlohmann::ordered_json;

constexpr const char* expected = R"(a job is a prompt, or {"prompt": "…"}, {"plan": "FILE.json"} or {"screenplay": "FILE.fountain"}, )"
                                 R"(with "output": "FILE" and options of `fabula render` if wanted)";

[[noreturn]] void refuse(const std::string& sentence) { throw Error(ExitCode::bad_data, sentence); }

std::optional<Job::Kind> source_kind(const std::string& key) {
  if (key == "prompt") return Job::Kind::prompt;
  if (key == "plan") return Job::Kind::plan;
  if (key == "screenplay") return Job::Kind::screenplay;
  return std::nullopt;
}

// One key of a job. `value` is text; `is_text` tells "7" from 7.
void take(Job& job, const std::string& key, const std::string& value, bool is_text) {
  if (const auto kind = source_kind(key)) {
    if (!is_text) refuse(expected);
    if (job.kind != Job::Kind::any) refuse("a job has one of prompt, plan and screenplay");
    job.kind = *kind;
    job.source = value;
  } else if (key == "output") {
    if (!is_text || value.empty() || value.find('\0') != std::string::npos) refuse("the output of a job is a file name");
    job.output = value;
  } else {
    job.options.emplace_back(key, value);
  }
}

void take_object(Job& job, const ordered_json& object) {
  if (!object.is_object()) refuse(expected);
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    if (value.is_structured()) refuse("the value of " + printable(key) + " is a text, a number, true or false");
    take(job, key, value.is_string() ? value.get<std::string>() : value.dump(), value.is_string());
  }
  if (job.kind == Job::Kind::any) refuse(expected);
}

template <typename Fill>
void add_job(std::vector<Job>& jobs, Fill&& fill) {
  Job job;
  job.number = jobs.size() + 1;
  try {
    fill(job);
  } catch (const Error& error) {
    job.fault = error;
  }
  jobs.push_back(std::move(job));
}

std::vector<Job> jobs_of_lines(std::string_view text) {
  std::vector<Job> jobs;
  while (!text.empty()) {
    const std::string_view line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') + 1));
    if (line.empty() || line[0] == '#') continue;
    add_job(jobs, [&](Job& job) {
      if (line[0] == '{')
        take_object(job, ordered_json::parse(line, nullptr, /*allow_exceptions=*/false));
      else
        job.source = line;
    });
  }
  return jobs;
}

std::vector<Job> jobs_of_list(const ordered_json& list) {
  std::vector<Job> jobs;
  for (const ordered_json& one : list) add_job(jobs, [&](Job& job) { take_object(job, one); });
  return jobs;
}

std::vector<Job> jobs_of_table(std::string_view text, const std::string& name) {
  const auto rows = parse_csv(text, name);
  std::vector<Job> jobs;
  if (rows.empty()) return jobs;
  const std::vector<std::string>& header = rows.front();
  if (std::none_of(header.begin(), header.end(), [](const std::string& key) { return source_kind(std::string(trimmed(key))).has_value(); }))
    refuse(name + ": the first row names the columns, one of them prompt, plan or screenplay");
  for (std::size_t row = 1; row < rows.size(); ++row) {
    add_job(jobs, [&](Job& job) {
      if (rows[row].size() > header.size()) refuse("the row has more cells than the header");
      for (std::size_t i = 0; i < rows[row].size(); ++i) {
        if (!rows[row][i].empty()) take(job, std::string(trimmed(header[i])), rows[row][i], true);
      }
      if (job.kind == Job::Kind::any) refuse(expected);
    });
  }
  return jobs;
}

// Whether the first line is a header: keys of jobs, one of them a source.
bool is_table(std::string_view text) {
  std::string key;
  bool names_a_source = false;
  for (const char c : std::string(trimmed(text.substr(0, text.find('\n')))) + ',') {
    if (c == ',' || c == ';' || c == '\t') {
      names_a_source = names_a_source || source_kind(std::exchange(key, "")).has_value();
    } else if ((c >= 'a' && c <= 'z') || c == '-' || c == '_') {
      key += c;
    } else {
      return false;
    }
  }
  return names_a_source;
}

std::vector<Job> jobs_of(std::string_view text, const std::string& name) {
  const std::string_view body = trimmed(text);
  if (name.ends_with(".csv") || name.ends_with(".CSV") || is_table(body)) return jobs_of_table(text, name);
  if (body.starts_with("[")) {
    const ordered_json list = ordered_json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (!list.is_array()) refuse(name + " is not a JSON list of jobs");
    return jobs_of_list(list);
  }
  if (body.starts_with("{")) {  // one object over several lines
    const ordered_json one = ordered_json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (one.is_object()) return jobs_of_list(ordered_json::array({one}));
  }
  return jobs_of_lines(text);
}

}  // namespace

std::vector<Job> parse_jobs(const std::string& text, const std::string& name) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::string_view body = text;
  if (body.starts_with(byte_order_mark)) body.remove_prefix(byte_order_mark.size());
  std::vector<Job> jobs = jobs_of(body, name);
  if (jobs.empty()) refuse("the batch " + name + " has no jobs");
  return jobs;
}

}  // namespace fabula::batch
