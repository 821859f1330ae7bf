// Tokenizer: ids of texts and texts of ids, from a cases.json beside a tokenizer.json.
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "planner/lm/tokenizer.h"
#include "tools/golden_check/runner.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

template <typename T>
T field(const json& one, const char* name) {
  try {
    return one.at(name).get<T>();
  } catch (const json::exception&) {
    throw Error(ExitCode::bad_data, std::string("a case lacks \"") + name + "\" or it is of the wrong type");
  }
}

}  // namespace

void run_tokenizer(const Case& one, const Setup&, Comparison& compare) {
  std::ifstream in(one.file, std::ios::binary);
  const json root = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("cases") || !root["cases"].is_array() || root["cases"].empty())
    throw Error(ExitCode::bad_data, "it holds no cases");
  const Tokenizer tokenizer = Tokenizer::open(one.weights / "tokenizer.json");
  std::size_t number = 0;
  for (const json& text_case : root["cases"]) {
    const std::string where = " of text " + std::to_string(number++) + " differ";
    const auto ids = field<std::vector<std::int32_t>>(text_case, "ids");
    compare.exact(tokenizer.encode(field<std::string>(text_case, "text")) == ids, "the ids" + where);
    compare.exact(tokenizer.decode(ids) == field<std::string>(text_case, "decoded"), "the decoded characters" + where);
    compare.exact(tokenizer.decode(ids, true) == field<std::string>(text_case, "decoded_skip_special"),
                  "the characters without special tokens" + where);
    StreamDecoder stream(tokenizer);
    std::string streamed;
    for (const std::int32_t id : ids) streamed += stream.push(id);
    compare.exact(streamed + stream.finish() == field<std::string>(text_case, "decoded"), "the streamed characters" + where);
  }
}

}  // namespace fabula::golden
