// A log of the last changes, each of which has a number: whoever waits says what he has seen.
#include "tools/serve/board.h"

namespace fabula::serve {

namespace {
constexpr std::size_t longest_log = 4096;
}

void Board::add(const std::string& id) {
  log_.push_back(id);
  if (log_.size() > longest_log) log_.pop_front();
  ++version_;
  changed_.notify_all();
}

void Board::touch(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  add(id);
}

void Board::show(const std::string& id, const Live& live) {
  const std::scoped_lock lock(mutex_);
  live_[id] = live;
  add(id);
}

void Board::clear(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  live_.erase(id);
  add(id);
}

Live Board::live(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = live_.find(id);
  return found == live_.end() ? Live{} : found->second;
}

std::uint64_t Board::version() const {
  const std::scoped_lock lock(mutex_);
  return version_;
}

Board::Changes Board::wait(std::uint64_t version, std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return version_ > version || closed_; });
  Changes changes{.version = version_, .all = version_ - version > log_.size(), .ids = {}};
  if (!changes.all) changes.ids.insert(log_.end() - static_cast<std::ptrdiff_t>(version_ - version), log_.end());
  return changes;
}

void Board::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Board::is_closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

}  // namespace fabula::serve
