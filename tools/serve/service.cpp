// Puts the parts together in the order in which they need each other.
#include "tools/serve/service.h"

#include <httplib.h>
#include <sys/socket.h>

#include <thread>

#include "base/error.h"
#include "tools/serve/routes.h"

namespace fabula::serve {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_attempts = 3;    // at a video during which the service ends
constexpr std::size_t request_threads = 64;  // a connection has one while it lives
constexpr std::size_t requests_per_connection = 1000;

ServiceOptions prepared(ServiceOptions options) {
  if (!is_loopback(options.host) && options.token.empty())
    throw Error(ExitCode::usage, "--host " + options.host + " lets others in: name a file that holds a token with --token-file");
  std::error_code failed;
  options.worker.folder = options.folder / "videos";
  fs::create_directories(options.worker.folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "the folder " + options.folder.string() + " cannot be created: " + failed.message());
  fs::permissions(options.folder, fs::perms::owner_all, failed);  // prompts and films are private
  return options;
}

// On this machine by names that are this machine; elsewhere the token keeps strangers out, by whatever name they call.
std::vector<std::string> names_of(const ServiceOptions& options) {
  if (!is_loopback(options.host)) return options.hosts;
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1", options.host};
  names.insert(names.end(), options.hosts.begin(), options.hosts.end());
  return names;
}

// The library's own choice, SO_REUSEPORT, would let a second service share the port in silence.
void reuse_address_alone(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

struct Service::State {
  explicit State(ServiceOptions given)
      : options(prepared(std::move(given))),
        guard(options.token, names_of(options)),
        store(options.folder / "videos.db", most_attempts),
        worker(options.worker, store, board, counters),
        desk{options, guard, store, board, worker, counters} {}

  const ServiceOptions options;
  const Guard guard;
  JobStore store;
  Board board;
  Counters counters;
  Worker worker;
  const Desk desk;
  httplib::Server server;
  int port = 0;
  std::thread listening;
};

Service::Service(ServiceOptions options) : state_(std::make_unique<State>(std::move(options))) {
  State& state = *state_;
  httplib::Server& server = state.server;
  server.new_task_queue = [] { return new httplib::ThreadPool(request_threads); };
  server.set_socket_options(reuse_address_alone);
  server.set_keep_alive_max_count(requests_per_connection);
  server.set_payload_max_length(state.options.body_bytes);
  server.set_tcp_nodelay(true);
  add_routes(server, state.desk);
  const std::string& host = state.options.host;
  if (state.options.port == 0)
    state.port = server.bind_to_any_port(host);
  else if (server.bind_to_port(host, state.options.port))
    state.port = state.options.port;
  if (state.port <= 0)
    throw Error(ExitCode::unavailable, "port " + std::to_string(state.options.port) + " of " + host +
                                           " cannot be had: another program has it, or there is no such address; --port names another");
  state.listening = std::thread([&server] { server.listen_after_bind(); });
}

Service::~Service() {
  if (!state_) return;
  state_->board.close();
  state_->server.stop();
  if (state_->listening.joinable()) state_->listening.join();
}

std::string Service::url() const {
  const std::string& host = state_->options.host;
  return "http://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(state_->port) + "/";
}

}  // namespace fabula::serve
