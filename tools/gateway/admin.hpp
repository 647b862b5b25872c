// The operator's interface: health, figures, dead letters. JSON over HTTP on loopback, closed without the token.
#pragma once

#include "tools/gateway/intake.hpp"
#include "tools/http/server.hpp"
#include "tools/smpp/server.hpp"

#include <bobbin/engine.hpp>

#include <functional>
#include <string>

namespace bobbin::gateway {

// GET /healthz            200 while the engine works, else 503; also whether the disk is full; needs no token
// GET /stats              counters of engine, SMPP, HTTP and intake, and the ledgers
// GET /dead-letters       ?after=LSN.INDEX for the next page
// POST /dead-letters/LSN.INDEX/redrive, .../discard
// I/O thread only; engine calls that wait are made on a thread of its own, so that no session waits for an operator.
class Admin {
 public:
  struct Sources {
    Engine& engine;
    const IntakeCounters& intake;
    const smpp::ServerCounters* smpp;  // null: no such server
    const http::ServerCounters* http;
  };
  // `run_aside` runs a function on a thread that may block.
  Admin(Sources sources, std::string token, std::function<void(std::function<void()>)> run_aside);

  void handle(const http::Request& request, http::Respond respond);

 private:
  http::Response answer(const http::Request& request);
  http::Response stats();
  http::Response dead_letters(const std::string& query);
  http::Response act(const http::Request& request);

  Sources sources_;
  std::vector<std::string> tokens_;
  std::function<void(std::function<void()>)> run_aside_;
};

}  // namespace bobbin::gateway
