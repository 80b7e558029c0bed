// Where a document does not fit a program's type, and what is wanted there: it is looked through
// type by type, since Boost tells only that it failed. <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/typed_parts.hpp>
#include <dfs/typed_printer.hpp>
#include <dfs/typed_text.hpp>

#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace DFS_API dfs {
namespace typed {

template <class T>
std::string wanted() {
  if constexpr (OptionalOf<T>::value) {
    return wanted<typename OptionalOf<T>::Inner>() + " or null";
  } else if constexpr (ConvertedByHand<T>) {
    return "what the program's conversion takes";
  } else if constexpr (std::same_as<T, bool>) {
    return "true or false";
  } else if constexpr (std::integral<T>) {
    return "an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
           std::to_string(std::numeric_limits<T>::max());
  } else if constexpr (std::floating_point<T>) {
    return "a number";
  } else if constexpr (json::is_null_like<T>::value) {
    return "null";
  } else if constexpr (json::is_string_like<T>::value || std::same_as<T, json::string>) {
    return "a string";
  } else if constexpr (json::is_map_like<T>::value || json::is_described_class<T>::value ||
                       std::same_as<T, json::object>) {
    return "an object";
  } else if constexpr (json::is_sequence_like<T>::value) {
    return "an array";
  } else if constexpr (json::is_tuple_like<T>::value) {
    return "an array of " + std::to_string(std::tuple_size_v<T>);
  } else if constexpr (json::is_described_enum<T>::value) {
    return "the name of one of its values";
  } else {
    return "another value";
  }
}

template <class T>
[[nodiscard]] std::optional<Misfit> find_misfit(const json::value& document);

/// The misfit of one part of a document, as the document sees it.
template <class T>
std::optional<Misfit> misfit_under(std::string_view name, const json::value& part) {
  auto misfit = find_misfit<T>(part);
  if (misfit) misfit->put_under(name);
  return misfit;
}

template <class T>
std::optional<Misfit> find_member_misfit(const json::object& object) {
  std::optional<Misfit> misfit;
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    using Part = PartOf<T, decltype(member)>;
    if (misfit) return;
    const json::value* part = object.if_contains(member.name);
    if (part == nullptr) misfit = Misfit{{}, "is missing where " + wanted<Part>() + " is wanted"};
    if (part != nullptr) misfit = find_misfit<Part>(*part);
    if (misfit) misfit->put_under(member.name);
  });
  return misfit;
}

/// Where `document` does not convert to T; nothing where it does.
template <class T>
std::optional<Misfit> find_misfit(const json::value& document) {
  if (json::try_value_to<T>(document)) return std::nullopt;
  if constexpr (OptionalOf<T>::value) {
    auto misfit = find_misfit<typename OptionalOf<T>::Inner>(document);
    if (misfit && !misfit->pointer.empty()) return misfit;
  } else if constexpr (ConvertedByHand<T>) {
    // Nothing more is known of it.
  } else if constexpr (DescribedClass<T>) {
    if (document.is_object()) {
      if (auto misfit = find_member_misfit<T>(document.get_object())) return misfit;
    }
  } else if constexpr (json::is_map_like<T>::value) {
    if (const auto* object = document.if_object()) {
      for (const auto& [name, part] : *object) {
        if (auto misfit = misfit_under<typename T::mapped_type>(view_of(name), part)) return misfit;
      }
    }
  } else if constexpr (SequenceOfParts<T>) {
    if (const auto* array = document.if_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        if (auto misfit = misfit_under<typename T::value_type>(std::to_string(i), (*array)[i])) {
          return misfit;
        }
      }
    }
  }
  return Misfit{{}, "is " + described(document) + " where " + wanted<T>() + " is wanted"};
}

}  // namespace typed
}  // namespace dfs
