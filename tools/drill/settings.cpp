#include "tools/drill/settings.hpp"

#include <fstream>
#include <stdexcept>

namespace bobbin::drill {

void write_gateway_config(const std::filesystem::path& file, const GatewaySettings& settings) {
  std::ofstream out(file);
  out << "data_directory = " << settings.data_directory << "\n"
      << "drain_timeout = \"10s\"\n\n"
      << "[smpp]\nport = 0\nwindow = 200\n[[smpp.accounts]]\n"
      << "system_id = \"" << account << "\"\npassword = \"" << account_password << "\"\n\n"
      << "[http]\nport = 0\n[[http.clients]]\nname = \"drill\"\ntoken = \"" << http_token << "\"\n\n"
      << "[admin]\nport = 0\ntoken = \"" << admin_token << "\"\n\n"
      << "[delivery]\nurl = \"" << settings.delivery_url << "\"\nsecret = \"" << delivery_secret << "\"\n"
      << "total_timeout = \"" << settings.delivery_timeout.count() << "ms\"\n"
      << "[delivery.retry]\nattempts_max = " << settings.attempts_max << "\nfirst_delay = \"20ms\"\ncap = \""
      << settings.retry_cap.count() << "ms\"\n\n"
      << "[window]\nlength = \"" << settings.window_length.count() << "ms\"\nmessages_max = " << settings.messages_max
      << "\n\n[engine]\nfibers_max = " << settings.fibers_max << "\n"
      << settings.engine_lines;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace bobbin::drill
