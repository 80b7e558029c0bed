// A program's type to the text of a value and back, by Boost.JSON's conversions: BOOST_DESCRIBE, or
// tag_invoke. <dfs/typed.hpp> includes this.
//
// What does not convert is looked through once more, type by type, for the place that does not fit.
#pragma once

#include <dfs/result.hpp>
#include <dfs/typed_document.hpp>

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace DFS_API dfs {
namespace typed {

template <class T>
struct OptionalOf : std::false_type {};
template <class T>
struct OptionalOf<std::optional<T>> : std::true_type {
  using Inner = T;
};

/// T is converted by a tag_invoke, into which nothing looks.
template <class T>
concept ConvertedByHand = requires(const json::value& document) {
  tag_invoke(json::value_to_tag<T>(), document);
}
|| requires(const json::value& document) { tag_invoke(json::try_value_to_tag<T>(), document); };
template <class T>
concept DescribedClass = !ConvertedByHand<T> && json::is_described_class<T>::value;

/// Boost's own, which take whatever they are made for.
template <class T>
concept Native = std::same_as<T, json::object> || std::same_as<T, json::array> ||
    std::same_as<T, json::string> || std::same_as<T, json::value>;
template <class T>
concept SequenceOfParts =
    !Native<T> && json::is_sequence_like<T>::value && !json::is_string_like<T>::value && requires {
  typename T::value_type;
};

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
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public |
                                                           boost::describe::mod_inherited>;
/// The type of the member that `Member` describes.
template <class T, class Member>
using PartOf = std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>;

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
