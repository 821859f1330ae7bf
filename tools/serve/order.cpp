// Reads requests. Whatever is not understood is refused by name: nothing that a client wrote is silently left out.
#include "tools/serve/order.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"

namespace fabula::serve {

using nlohmann::json;

namespace {

Refused bad(const std::string& sentence, const std::string& field) { return {400, sentence, "invalid_value", field}; }

const Field* find(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? nullptr : &found->second;
}

std::string text_of(const Fields& fields, const std::string& name) {
  const Field* field = find(fields, name);
  return field == nullptr ? "" : field->text;
}

// "WxH"
void check_size(const std::string& size, const OrderLimits& limits) {
  const std::size_t x = size.find('x');
  const auto number = [&](std::string_view text, int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 16 && value <= most && value % 2 == 0;
  };
  if (x == std::string::npos || !number(std::string_view(size).substr(0, x), limits.width) ||
      !number(std::string_view(size).substr(x + 1), limits.height))
    throw bad("size is WIDTHxHEIGHT in even numbers from 16x16 to " + std::to_string(limits.width) + "x" + std::to_string(limits.height),
              "size");
}

void check_seconds(const std::string& text, int most) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0.0) || value > most)
    throw bad("seconds is a number above 0 and up to " + std::to_string(most), "seconds");
}

void take_plan(const Field& field, Job& job, const World* world) {
  try {
    const plan::Film film = plan::from_json(field.text);
    check_names_no_file(film);
    if (world != nullptr) plan::require_valid(film, *world);
    job.prompt = film.prompt;
    job.plan = plan::to_json(film);
  } catch (const Error& error) {
    throw bad(error.what(), "plan");
  }
}

}  // namespace

Fields fields_of_json(const std::string& body) {
  Fields fields;
  constexpr int deepest = 64;  // writing JSON goes down by recursion
  bool is_twice = false, is_deep = false;
  std::string twice;
  const json parsed = json::parse(
      body,
      [&](int depth, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::key && depth == 1 && !fields.emplace(value.get<std::string>(), Field()).second) {
          is_twice = true;
          twice = value.get<std::string>();
        }
        is_deep = is_deep || depth > deepest;
        return depth <= deepest;
      },
      /*allow_exceptions=*/false);
  if (!parsed.is_object()) throw Refused(400, "the body is not a JSON object", "invalid_json");
  if (is_deep) throw Refused(400, "the body is nested too deeply", "invalid_json");
  if (is_twice) throw bad("the parameter " + printable(twice.substr(0, 64)) + " is given twice", printable(twice.substr(0, 64)));
  for (const auto& [name, value] : parsed.items()) {
    if (value.is_null())
      fields.erase(name);
    else
      fields[name] = {value.is_string() ? value.get<std::string>() : value.dump(), value.is_string()};
  }
  return fields;
}

void refuse_unknown(const Fields& fields, std::initializer_list<std::string_view> known) {
  for (const auto& [name, field] : fields) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Refused(400, "there is no parameter " + printable(name.substr(0, 64)), "unknown_parameter", printable(name.substr(0, 64)));
  }
}

void check_text(const std::string& text, const std::string& field, std::size_t most) {
  if (text.size() > most) throw bad(field + " is longer than " + std::to_string(most) + " bytes", field);
  if (trimmed(text).empty()) throw bad(field + " is empty", field);
  if (text.find('\0') != std::string::npos) throw bad(field + " holds a zero", field);
  try {
    (void)json(text).dump();
  } catch (const json::exception&) {
    throw bad(field + " is not UTF-8", field);
  }
}

std::int64_t whole_number(const Fields& fields, const std::string& name, std::int64_t low, std::int64_t high) {
  const std::string text = text_of(fields, name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    throw bad(name + " is a whole number from " + std::to_string(low) + " to " + std::to_string(high), name);
  return value;
}

void check_names_no_file(const plan::Film& film) {
  const auto refuse = [](bool names) {
    if (names) throw bad("the plan names files (ref_images, ref_audio or references), and this service opens none", "plan");
  };
  for (const plan::Character& one : film.characters) refuse(!one.ref_images.empty() || !one.voice.ref_audio.empty());
  for (const plan::Place& one : film.places) refuse(!one.ref_images.empty());
  for (const plan::Prop& one : film.props) refuse(!one.ref_images.empty());
  for (const plan::Shot& one : film.shots) refuse(!one.conditioning.references.empty());
}

Job ordered(const Fields& fields, const std::string& model, const World* world, const OrderLimits& limits) {
  if (fields.contains("input_reference"))
    throw Refused(400, "input_reference is not supported: the model takes no pictures", "unsupported", "input_reference");
  refuse_unknown(fields, {"prompt", "plan", "model", "seconds", "size", "seed", "steps", "num_inference_steps"});
  const Field* named = find(fields, "model");
  if (named != nullptr && named->text != model)
    throw Refused(404, "there is no model " + printable(named->text.substr(0, 64)) + "; this service has " + model, "model_not_found",
                  "model");
  Job job;
  const Field *prompt = find(fields, "prompt"), *plan = find(fields, "plan");
  if ((prompt == nullptr) == (plan == nullptr)) throw bad("a video needs a prompt, or a plan instead of it", "prompt");
  if (prompt != nullptr) {
    if (!prompt->is_text) throw bad("prompt is not text", "prompt");
    check_text(prompt->text, "prompt", limits.prompt_bytes);
    job.prompt = prompt->text;
  } else {
    if (find(fields, "seconds") != nullptr) throw bad("a plan has its own length", "seconds");
    take_plan(*plan, job, world);
  }
  if (const std::string seconds = text_of(fields, "seconds"); !seconds.empty()) {
    check_seconds(seconds, limits.seconds);
    job.options["duration"] = seconds;
  }
  if (const std::string size = text_of(fields, "size"); !size.empty()) {
    check_size(size, limits);
    job.options["size"] = size;
  }
  if (find(fields, "seed") != nullptr)
    job.options["seed"] = std::to_string(whole_number(fields, "seed", 0, std::numeric_limits<std::int64_t>::max()));
  for (const char* name : {"steps", "num_inference_steps"}) {
    if (find(fields, name) != nullptr) job.options["steps"] = std::to_string(whole_number(fields, name, 1, limits.steps));
  }
  job.id = new_id();
  job.created = now_s();
  return job;
}

std::string new_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::random_device random;
  std::string id = "video_";
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) id += digits[bits & 15U];
  }
  return id;
}

bool is_id(const std::string& text) {
  return text.size() == 38 && text.starts_with("video_") && text.find_first_not_of("0123456789abcdef", 6) == std::string::npos;
}

}  // namespace fabula::serve
