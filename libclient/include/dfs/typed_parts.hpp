// Of which parts a program's type consists, as Boost.JSON's conversions see it: what is optional,
// described, converted by hand, a sequence. <dfs/typed.hpp> includes this.
#pragma once

#include <dfs/export.hpp>

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace DFS_API dfs {
namespace typed {

namespace json = boost::json;

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
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public |
                                                           boost::describe::mod_inherited>;
/// The type of the member that `Member` describes.
template <class T, class Member>
using PartOf = std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>;

}  // namespace typed
}  // namespace dfs
