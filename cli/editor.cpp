#include "cli/editor.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "cli/argument.hpp"
#include "cli/indent.hpp"
#include "cli/input.hpp"
#include "common/os/file.hpp"
#include "common/os/process.hpp"
#include "common/os/random.hpp"

namespace dfs::cli {

namespace {

// The key as far as it is fit for the name of a file: for the title of the editor's window.
std::string name_part(std::string_view key) {
  std::string part;
  for (const char c : key.substr(0, 32)) {
    part += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  }
  return part;
}

std::string editor_command() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    if (std::string command = os::environment(name); !command.empty()) return command;
  }
  return "vi";
}

}  // namespace

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Result<Editor> Editor::open(std::string_view key, std::string_view value) {
  std::string folder = os::environment("TMPDIR");
  if (folder.empty()) folder = "/tmp";
  // .json: by that an editor knows how to show it.
  std::string path = folder + "/dfs-" + name_part(key) + "-" + os::random_hex(4) + ".json";
  auto file =
      os::File::open(path, {.write = true, .create = true, .exclusive = true, .mode = 0600});
  if (!file) return std::move(file).error();
  std::string text = value.empty() ? std::string() : indented(value);
  if (auto written = file->write_at(text, 0); !written) {
    static_cast<void>(os::remove(path).has_value());  // nothing of anybody's is in it
    return std::move(written).error();
  }
  return Editor(std::move(path), std::move(text));
}

Result<std::string> Editor::edit() {
  const std::string command = editor_command();
  // By the shell, so that EDITOR may hold options. It ignores what the keyboard sends meanwhile.
  const int status = std::system((command + " " + quoted(file_)).c_str());
  auto input = Input::open(file_);
  auto text = input ? input->rest() : Result<std::string>(input.error());
  touched_ = text && *text != text_;
  if (status != 0) {
    return Error(errc::system,
                 "the editor failed: " + command + " (set EDITOR or VISUAL to the one to use)");
  }
  return text;
}

void Editor::discard() const {
  static_cast<void>(os::remove(file_).has_value());  // a file in a temporary folder, at the worst
}

}  // namespace dfs::cli
