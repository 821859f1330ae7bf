// What each URL does.
#pragma once

#include "tools/serve/board.h"
#include "tools/serve/guard.h"
#include "tools/serve/jobs.h"
#include "tools/serve/service.h"
#include "tools/serve/worker.h"

namespace httplib {
class Server;
}

namespace fabula::serve {

/// What the handlers of requests share. All of it may be used from any thread.
struct Desk {
  const ServiceOptions& options;
  const Guard& guard;
  JobStore& store;
  Board& board;
  Worker& worker;
  Counters& counters;
};

/// The desk must outlive the server.
void add_routes(httplib::Server&, const Desk&);

}  // namespace fabula::serve
