// HTTP POST for activity threads, by libcurl. Blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bobbin::http {

// Holds libcurl's process-wide state. Make exactly one, in main, before other threads start; it outlives every Poster.
class CurlGlobal {
 public:
  // Throws std::runtime_error if libcurl cannot be initialised.
  CurlGlobal();
  ~CurlGlobal();
  CurlGlobal(const CurlGlobal&) = delete;
  CurlGlobal& operator=(const CurlGlobal&) = delete;
};

struct PostRequest {
  std::string url;  // http or https
  std::string_view body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{30'000};
  std::size_t response_bytes_max = 64 * 1024;  // what comes beyond is not read
};

struct PostResult {
  enum class Kind {
    answered,       // `status` and `body` are the server's
    network_error,  // `error` says what; the server may have had the request
    cancelled,
  };
  Kind kind = Kind::network_error;
  long status = 0;
  std::string body;
  bool body_truncated = false;
  std::string error;
};

enum class Verdict {
  delivered,  // 2xx
  again,      // network error, 408, 429, 5xx: another attempt may succeed
  refused,    // everything else: another attempt would be answered alike
  cancelled,
};

// What a result means for the delivery.
Verdict judge(const PostResult& result);

// One reusable connection. An object belongs to one thread at a time; make one for each thread that posts.
class Poster {
 public:
  explicit Poster(const CurlGlobal& global);
  ~Poster();
  Poster(Poster&&) noexcept;
  Poster& operator=(Poster&&) noexcept;

  // Follows no redirects and uses no proxy. `cancelled` is polled about once a second at least, on this thread; once it
  // answers true the transfer ends. Failures of the transfer are in the result; it throws only if memory runs out or
  // libcurl is too old for what it is asked.
  PostResult post(const PostRequest& request, const std::function<bool()>& cancelled = {});

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace bobbin::http
