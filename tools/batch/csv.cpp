// Takes a table apart, one character after another.
#include "tools/batch/csv.h"

#include <algorithm>

#include "base/error.h"

namespace fabula::batch {

namespace {

char separator_of(std::string_view text) {
  const std::size_t found = text.substr(0, text.find('\n')).find_first_of(",;\t");
  return found == std::string_view::npos ? ',' : text[found];
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name), separator_(separator_of(text)) {}

  std::vector<std::vector<std::string>> rows() {
    std::vector<std::vector<std::string>> rows;
    while (at_ < text_.size()) {
      std::vector<std::string> row = next_row();
      if (std::any_of(row.begin(), row.end(), [](const std::string& cell) { return !cell.empty(); })) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[nodiscard]] bool ends_row() const { return at_ >= text_.size() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }
  [[nodiscard]] bool ends_cell() const { return ends_row() || text_[at_] == separator_; }

  std::vector<std::string> next_row() {
    std::vector<std::string> row = {next_cell()};
    while (!ends_row()) {
      ++at_;  // the separator
      row.push_back(next_cell());
    }
    at_ += text_.substr(at_, 2) == "\r\n" ? 2 : 1;
    ++line_;
    return row;
  }

  std::string next_cell() {
    std::string cell;
    if (at_ < text_.size() && text_[at_] == '"') return quoted_cell();
    while (!ends_cell()) cell += text_[at_++];
    return cell;
  }

  std::string quoted_cell() {
    const std::size_t first_line = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (text_.substr(at_, 2) != "\"\"") {
          ++at_;
          if (!ends_cell()) throw Error(ExitCode::bad_data, name_ + ", line " + std::to_string(line_) + ": text behind a quoted cell");
          return cell;
        }
        ++at_;
      }
      line_ += text_[at_] == '\n' ? 1 : 0;
      cell += text_[at_];
    }
    throw Error(ExitCode::bad_data, name_ + ", line " + std::to_string(first_line) + ": a quotation mark is never closed");
  }

  std::string_view text_;
  const std::string& name_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::vector<std::vector<std::string>> parse_csv(std::string_view text, const std::string& name) { return Reader(text, name).rows(); }

}  // namespace fabula::batch
