// The service: an HTTP server, the queue, and what makes the videos.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/world.h"
#include "tools/serve/order.h"
#include "tools/serve/remix.h"
#include "tools/serve/worker.h"

namespace fabula::serve {

struct ServiceOptions {
  std::string host = "127.0.0.1";
  int port = 8080;                 ///< 0: any that is free
  std::string token;               ///< empty: none, for a loopback host alone
  std::vector<std::string> hosts;  ///< further names that the service is called by
  std::filesystem::path folder;    ///< of its state: videos.db, and videos/ID/ for each
  Limits limits{.queued = 64, .kept = 1000};
  OrderLimits order;
  std::size_t body_bytes = std::size_t{1} << 20U;
  WorkerOptions worker;  ///< its folder is set by the service
  std::string model, version;
  std::int64_t model_created = 0;
  Editor editor;
};

class Service {
 public:
  /// Opens the state, binds the port and starts to work. Throws Error: usage for a host that others reach without a token; cannot_create,
  /// io, bad_data; unavailable where the port cannot be had.
  explicit Service(ServiceOptions);
  ~Service();  ///< ends all requests; videos that are being made go back into the queue
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// "http://127.0.0.1:8080/"
  [[nodiscard]] std::string url() const;

 private:
  struct State;  // keeps the HTTP library out of this header
  std::unique_ptr<State> state_;
};

}  // namespace fabula::serve
