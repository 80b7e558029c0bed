#include "bench/order.hpp"

#include <sstream>
#include <stdexcept>

namespace dfs::bench {

namespace {

Shape shape_of(const std::string& name) {
  if (name == "user") return Shape::user;
  if (name == "hex") return Shape::hex;
  if (name == "tenant") return Shape::tenant;
  throw std::runtime_error("no shape " + name);
}

Distribution distribution_of(const std::string& name) {
  if (name == "uniform") return Distribution::uniform;
  if (name == "zipf") return Distribution::zipf;
  throw std::runtime_error("no distribution " + name);
}

void set_member(Order& order, const std::string& name, const std::string& value) {
  if (name == "shape") {
    order.shape = shape_of(value);
  } else if (name == "distribution") {
    order.distribution = distribution_of(value);
  } else if (name == "keys") {
    order.keys = std::stoull(value);
  } else if (name == "first") {
    order.first = std::stoull(value);
  } else if (name == "operations") {
    order.operations = std::stoull(value);
  } else if (name == "seconds") {
    order.seconds = std::stod(value);
  } else if (name == "bytes") {
    order.bytes = std::stoull(value);
  } else if (name == "seed") {
    order.seed = std::stoull(value);
  } else if (name == "look") {
    order.look = value == "1";
  } else if (name == "timed") {
    order.timed = value == "1";
  } else {
    throw std::runtime_error("an order has no " + name);
  }
}

}  // namespace

Order Order::parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  Order order;
  words >> order.workload;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error(word + " has no value");
    set_member(order, word.substr(0, equals), word.substr(equals + 1));
  }
  return order;
}

std::string Report::json() const {
  std::ostringstream out;
  out << R"({"operations":)" << operations << R"(,"seconds":)" << seconds << R"(,"cpu_seconds":)"
      << cpu_seconds << R"(,"attempts":)" << attempts << R"(,"absent":)" << absent << R"(,"sum":)"
      << sum << R"(,"memory":)" << memory << R"(,"longest_pause_ms":)" << longest_pause_ms
      << R"(,"longest_ns":)" << latency.longest() << R"(,"latency":)" << latency.json() << '}';
  return out.str();
}

}  // namespace dfs::bench
