// What a client asks for, within limits: the fields of a request become a job, or a refusal that names the field.
#pragma once

#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "engine/plan.h"
#include "engine/world.h"
#include "tools/serve/jobs.h"

namespace fabula::serve {

/// A request that is refused: what the answer says, in the form of OpenAI's errors.
class Refused : public std::runtime_error {
 public:
  Refused(int status, const std::string& sentence, std::string code, std::string field = {})
      : std::runtime_error(sentence), status_(status), code_(std::move(code)), field_(std::move(field)) {}
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& field() const { return field_; }

 private:
  int status_;
  std::string code_, field_;
};

/// What a client may ask for.
struct OrderLimits {
  std::size_t prompt_bytes = 16384;
  int seconds = 120;
  int width = 1920, height = 1920;
  int steps = 100;
};

/// Fields of a request: a name, and text or JSON. A form's fields are texts.
struct Field {
  std::string text;      ///< a string's characters; anything else as JSON
  bool is_text = false;  ///< in the request it was a string
};
using Fields = std::map<std::string, Field>;
/// Throws Refused for what is no JSON object, or a field that occurs twice.
[[nodiscard]] Fields fields_of_json(const std::string& body);

/// A new video: prompt or plan, model, seconds, size, seed, steps. `model`: the name of the one that there is. `world`: null where the
/// model films anything. Throws Refused.
[[nodiscard]] Job ordered(const Fields&, const std::string& model, const World* world, const OrderLimits&);

/// A whole number of a field in a range. Throws Refused.
[[nodiscard]] std::int64_t whole_number(const Fields&, const std::string& field, std::int64_t low, std::int64_t high);

/// Throws Refused (400) for a field that is none of `known`.
void refuse_unknown(const Fields&, std::initializer_list<std::string_view> known);
/// Throws Refused unless `text` is UTF-8 without zeros, not only white space, of at most `most` bytes.
void check_text(const std::string& text, const std::string& field, std::size_t most);

/// Throws Refused if the plan names a file: no path from outside is opened.
void check_names_no_file(const plan::Film&);

/// "video_" and 32 random digits.
[[nodiscard]] std::string new_id();
[[nodiscard]] bool is_id(const std::string&);

}  // namespace fabula::serve
