#include "tools/http/post.hpp"

#include <curl/curl.h>

#include <array>
#include <new>
#include <stdexcept>

namespace bobbin::http {
namespace {

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CloseCurl>;
using List = std::unique_ptr<curl_slist, FreeList>;

struct Sink {
  std::string& body;
  std::size_t bytes_max;
  bool truncated = false;
};

// Called by libcurl, which knows no exceptions: running out of memory ends the transfer like an oversized answer.
std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& sink = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  const std::size_t room = sink.bytes_max - sink.body.size();
  try {
    sink.body.append(data, std::min(bytes, room));
  } catch (const std::bad_alloc&) {
    sink.truncated = true;
    return 0;
  }
  if (bytes <= room) return bytes;
  sink.truncated = true;
  return 0;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  const auto& cancelled = *static_cast<const std::function<bool()>*>(user);
  try {
    return cancelled() ? 1 : 0;
  } catch (...) {
    return 1;  // one who cannot say whether to go on wants no more
  }
}

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

List header_list(const PostRequest& request) {
  List list;
  // Without this, libcurl holds larger bodies back and waits for "100 Continue".
  append(list, "Expect:");
  for (const auto& [name, value] : request.headers) append(list, name + ": " + value);
  return list;
}

bool breaks_header(const PostRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return true;
  }
  return false;
}

// Options are set on a handle that was just reset; the only failures are out of memory and an option that this libcurl
// does not have, and with neither may a request go out.
template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(curl, option, value);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK) throw std::logic_error(std::string("libcurl refuses an option: ") + curl_easy_strerror(code));
}

void set_target(CURL* curl, const PostRequest& request, const curl_slist* headers) {
  set(curl, CURLOPT_URL, request.url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_PROXY, "");
  set(curl, CURLOPT_HTTPHEADER, headers);
  set(curl, CURLOPT_POST, 1L);
  set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  // libcurl reads as many bytes as told, but takes a null pointer for "ask me".
  set(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
}

void set_limits(CURL* curl, const PostRequest& request) {
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  set(curl, CURLOPT_NOSIGNAL, 1L);  // signals belong to the process, not to one thread's time-out
}

PostResult result_of(CURL* curl, CURLcode code, const Sink& sink, std::string_view detail) {
  PostResult result;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &result.status);
  const bool cut_here = code == CURLE_WRITE_ERROR && sink.truncated;
  if (code == CURLE_OK || cut_here) {
    result.kind = PostResult::Kind::answered;
    result.body_truncated = sink.truncated;
    return result;
  }
  result.kind = code == CURLE_ABORTED_BY_CALLBACK ? PostResult::Kind::cancelled : PostResult::Kind::network_error;
  result.status = 0;
  result.error = detail.empty() ? curl_easy_strerror(code) : std::string(detail);
  return result;
}

}  // namespace

CurlGlobal::CurlGlobal() {
  const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw std::runtime_error(std::string("cannot initialise libcurl: ") + curl_easy_strerror(code));
}

CurlGlobal::~CurlGlobal() { curl_global_cleanup(); }

Verdict judge(const PostResult& result) {
  switch (result.kind) {
    case PostResult::Kind::cancelled:
      return Verdict::cancelled;
    case PostResult::Kind::network_error:
      return Verdict::again;
    case PostResult::Kind::answered:
      break;
  }
  if (result.status >= 200 && result.status < 300) return Verdict::delivered;
  const bool server_fault = result.status >= 500 && result.status < 600;
  return server_fault || result.status == 408 || result.status == 429 ? Verdict::again : Verdict::refused;
}

struct Poster::Handle {
  Curl curl;
  std::array<char, CURL_ERROR_SIZE> error{};
};

Poster::Poster(const CurlGlobal&) : handle_(std::make_unique<Handle>()) {
  handle_->curl.reset(curl_easy_init());
  if (!handle_->curl) throw std::bad_alloc();
}

Poster::~Poster() = default;
Poster::Poster(Poster&&) noexcept = default;
Poster& Poster::operator=(Poster&&) noexcept = default;

PostResult Poster::post(const PostRequest& request, const std::function<bool()>& cancelled) {
  CURL* curl = handle_->curl.get();
  PostResult result;
  if (breaks_header(request)) {
    result.error = "a header has a line break or NUL in it";
    return result;
  }
  const List headers = header_list(request);
  Sink sink{result.body, request.response_bytes_max};
  handle_->error[0] = '\0';
  curl_easy_reset(curl);  // forgets options, keeps the connection
  set_target(curl, request, headers.get());
  set_limits(curl, request);
  set(curl, CURLOPT_ERRORBUFFER, handle_->error.data());
  set(curl, CURLOPT_WRITEFUNCTION, &on_body);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&sink));
  if (cancelled) {
    set(curl, CURLOPT_NOPROGRESS, 0L);
    set(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(curl, CURLOPT_XFERINFODATA, static_cast<const void*>(&cancelled));
  }
  const CURLcode code = curl_easy_perform(curl);
  PostResult outcome = result_of(curl, code, sink, handle_->error.data());
  if (outcome.kind == PostResult::Kind::answered) outcome.body = std::move(result.body);
  curl_easy_reset(curl);  // nothing of this call is pointed to any more
  return outcome;
}

}  // namespace bobbin::http
