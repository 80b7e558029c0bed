// A program's type to the text of a value and back, by Boost.JSON's conversions: BOOST_DESCRIBE, or
// tag_invoke. <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/result.hpp>
#include <dfs/typed_document.hpp>
#include <dfs/typed_misfit.hpp>
#include <dfs/typed_parts.hpp>

#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace DFS_API dfs {
namespace typed {

template <class T>
[[nodiscard]] std::optional<Misfit> settle_members(json::value& document);

template <class T>
[[nodiscard]] std::optional<Misfit> settle_members(json::object& object) {
  std::optional<Misfit> misfit;
  std::size_t known = 0;
  boost::mp11::mp_for_each<MembersOf<T>>([&](auto member) {
    using Part = PartOf<T, decltype(member)>;
    json::value* part = object.if_contains(member.name);
    if (part == nullptr && !OptionalOf<Part>::value) return;
    if (part == nullptr) object.emplace(member.name, nullptr);
    ++known;
    if (part == nullptr || misfit) return;
    misfit = settle_members<Part>(*part);
    if (misfit) misfit->put_under(member.name);
  });
  if (misfit || known == object.size()) return misfit;
  for (const auto& [name, part] : object) {
    bool is_known = false;
    boost::mp11::mp_for_each<MembersOf<T>>(
        [&, &given = name](auto member) { is_known = is_known || given == member.name; });
    if (is_known) continue;
    misfit = Misfit{{}, "is a member that the type does not have"};
    return misfit->put_under(view_of(name)), misfit;
  }
  return misfit;
}

/// What Boost's releases decide one way and another about described types: an optional member that
/// is missing becomes null, and one that the type does not have is a misfit, since it would be lost
/// when the value is set again.
template <class T>
std::optional<Misfit> settle_members(json::value& document) {
  std::optional<Misfit> misfit;
  if constexpr (OptionalOf<T>::value) {
    return settle_members<typename OptionalOf<T>::Inner>(document);
  } else if constexpr (ConvertedByHand<T>) {
    return misfit;
  } else if constexpr (DescribedClass<T>) {
    if (auto* object = document.if_object()) return settle_members<T>(*object);
  } else if constexpr (json::is_map_like<T>::value) {
    if (auto* object = document.if_object()) {
      for (auto& member : *object) {
        misfit = settle_members<typename T::mapped_type>(member.value());
        if (misfit) return misfit->put_under(view_of(member.key())), misfit;
      }
    }
  } else if constexpr (SequenceOfParts<T>) {
    if (auto* array = document.if_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        misfit = settle_members<typename T::value_type>((*array)[i]);
        if (misfit) return misfit->put_under(std::to_string(i)), misfit;
      }
    }
  }
  return misfit;
}

/// The text that is stored of a value. bad_value, with the place, where JSON cannot hold it.
template <class V>
[[nodiscard]] Result<std::string> to_text(const V& value, std::string_view key) {
  std::string text;
  try {
    const json::value document = json::value_from(value);
    if (const auto misfit = DocumentPrinter(text).print(document)) return unstorable(key, *misfit);
  } catch (const std::bad_alloc&) {
    return errc::no_memory;
  } catch (const std::exception& problem) {  // the program's own conversion
    return unstorable(key, {{}, std::string("does not convert: ") + problem.what()});
  }
  return text;
}

/// What the text of a value says, as a V. wrong_type, with the place, where it is none.
template <class V>
[[nodiscard]] Result<V> from_text(std::string_view text, std::string_view key) {
  try {
    json::value document;
    if (const auto misfit = parse(text, document)) return wrong_type(key, *misfit);
    if (const auto misfit = settle_members<V>(document)) return wrong_type(key, *misfit);
    auto value = json::try_value_to<V>(document);
    if (value) return std::move(*value);
    const auto misfit = find_misfit<V>(document);
    return wrong_type(key, misfit.value_or(Misfit{{}, "does not convert"}));
  } catch (const std::bad_alloc&) {
    return errc::no_memory;
  }
}

}  // namespace typed
}  // namespace dfs
