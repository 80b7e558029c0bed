// A program outside of the project, as a user writes it: it knows the installed headers and
// libdfs.so alone.
#include <dfs/error.hpp>
#include <dfs/limits.hpp>
#include <dfs/result.hpp>
#if __has_include(<dfs/store.hpp>)
#include <dfs/store.hpp>
#endif

#include <iostream>
#include <string_view>

namespace {

dfs::Result<int> refused() { return dfs::Error(dfs::errc::bad_key, "a key is not empty"); }

// An error thrown where the program is compiled is caught as what the library calls an error.
bool errors_cross_the_library() {
  try {
    return refused().value() == 0;
  } catch (const dfs::Error& error) {
    return error == dfs::errc::bad_key && error.text() == "a key is not empty" &&
           dfs::exit_code(error.code()) == 2;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || !errors_cross_the_library()) return 1;
#if __has_include(<dfs/store.hpp>)
  auto store = dfs::Store::open(arguments[1]).value();
  const auto committed = store.set("greeting", R"({"text":"hello"})").value();
  const auto value = store.get("greeting").value();
  std::cout << value.value << " version " << committed.version << '\n';
#else
  std::cout << arguments[1] << ": " << dfs::describe(dfs::errc::absent) << '\n';
#endif
}
