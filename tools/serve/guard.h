// Who may ask: requests of other web pages are refused, and strangers where the service has a token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula::serve {

/// What a guard looks at of a request. Empty where the request has no such header.
struct Asked {
  std::string_view method, path, host, origin, fetch_site, authorization, cookie;
};

class Guard {
 public:
  /// `token`: empty for none. `hosts`: names by which the service is called, without ports; empty for any. Another name in a request's
  /// Host means that a page somewhere has given its own name our address (DNS rebinding).
  Guard(std::string token, std::vector<std::string> hosts);

  struct Refusal {
    int status = 0;  ///< 0: not refused
    const char* code = "";
    const char* message = "";
  };
  [[nodiscard]] Refusal refusal(const Asked&) const;

  [[nodiscard]] bool has_token() const { return !token_.empty(); }
  /// Value of Set-Cookie by which a browser that has shown the token once may ask on.
  [[nodiscard]] std::string cookie() const;

 private:
  [[nodiscard]] bool knows(const Asked&) const;

  std::string token_, session_;
  std::vector<std::string> hosts_;
};

/// Whether a host is this machine alone: localhost, 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Equality in a time that says nothing about where texts of one length differ.
[[nodiscard]] bool is_same_secret(std::string_view a, std::string_view b);

}  // namespace fabula::serve
