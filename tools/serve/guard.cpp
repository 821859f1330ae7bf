// Checks in the order of what they cost to know: the name, the origin, the token.
#include "tools/serve/guard.h"

#include <algorithm>
#include <cctype>

#include "base/sha256.h"

namespace fabula::serve {

namespace {

constexpr std::string_view cookie_name = "fabula_session";

// "[::1]:8080" -> "::1"
std::string name_in(std::string_view host) {
  std::string name;
  if (host.starts_with('[')) {
    name = host.substr(1, host.find(']') - 1);
  } else {
    name = host.substr(0, host.find(':'));
  }
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

// The page itself says nothing of anybody's films, and is where a token is asked for.
bool is_public(const Asked& asked) {
  return is_reading(asked.method) && (asked.path == "/" || asked.path.starts_with("/page.") || asked.path == "/health");
}

std::string_view session_in(std::string_view cookies) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view one = cookies.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(cookie_name) && one.substr(cookie_name.size()).starts_with('=')) return one.substr(cookie_name.size() + 1);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
  }
  return {};
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string name = host.find(':') != host.rfind(':') && !host.starts_with('[') ? std::string(host) : name_in(host);
  return name == "localhost" || name == "::1" || name.starts_with("127.");
}

bool is_same_secret(std::string_view a, std::string_view b) {
  unsigned differs = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i)
    differs |= static_cast<unsigned char>(i < a.size() ? a[i] : 0) ^ static_cast<unsigned char>(b[i]);
  return differs == 0;
}

Guard::Guard(std::string token, std::vector<std::string> hosts) : token_(std::move(token)), hosts_(std::move(hosts)) {
  if (!token_.empty()) session_ = Sha256().field("fabula.serve/session").field(token_).hex();
}

std::string Guard::cookie() const {
  return std::string(cookie_name) + "=" + session_ + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000";
}

bool Guard::knows(const Asked& asked) const {
  constexpr std::string_view bearer = "Bearer ";
  if (asked.authorization.starts_with(bearer)) return is_same_secret(asked.authorization.substr(bearer.size()), token_);
  return is_same_secret(session_in(asked.cookie), session_);
}

Guard::Refusal Guard::refusal(const Asked& asked) const {
  const std::string name = name_in(asked.host);
  if (!hosts_.empty() && std::find(hosts_.begin(), hosts_.end(), name) == hosts_.end())
    return {403, "wrong_host", "this service is not called by the name in the Host header; --allow-host NAME allows another"};
  const std::size_t scheme = asked.origin.find("://");
  const bool is_foreign = !asked.origin.empty() && (scheme == std::string_view::npos || asked.origin.substr(scheme + 3) != asked.host);
  if (!is_reading(asked.method) && (is_foreign || asked.fetch_site == "cross-site"))
    return {403, "wrong_origin", "a page of another site may not ask this service for anything"};
  if (has_token() && !is_public(asked) && !knows(asked))
    return {401, "invalid_api_key", "this service has a token: send it as Authorization: Bearer TOKEN"};
  return {};
}

}  // namespace fabula::serve
