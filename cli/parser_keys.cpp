// The commands about keys: one key, its revisions, many keys.
#include "cli/given.hpp"
#include "cli/listing.hpp"
#include "cli/parser.hpp"
#include "cli/record.hpp"
#include "cli/revision.hpp"
#include "cli/watch.hpp"

namespace dfs::cli {

void Parser::add_record_commands() {
  CLI::App* app = add("get KEY [--meta] [-r] [--path /a/b]", "Prints the value of a key");
  auto* key = app->add_option("KEY", "The key")->required();
  auto* meta = flag(app, "--meta", "The whole record: version, sequence, time, value");
  auto* raw = flag(app, "-r,--raw", "A string without its quotes");
  auto* path = app->add_option("--path", "A part of the value, by RFC 6901")->type_name("/a/b");
  as([=] {
    return bind(get, GetOptions{*given(key), meta->count() > 0, raw->count() > 0, given(path)});
  });

  app = add("set [-t] KEY VALUE|- [--if-version N] [--if-absent]",
            "Sets a key to a JSON value (-: from standard input) and prints its new version");
  key = app->add_option("KEY", "The key")->required();
  auto* value = app->add_option("VALUE", "JSON; - reads it from standard input")->required();
  auto* text = flag(app, "-t,--text", "VALUE is a text, as it stands, not JSON");
  auto* if_version = app->add_option("--if-version", "Only if the key has this version (0: absent)")
                         ->type_name("N");
  auto* if_absent = flag(app, "--if-absent", "Only if there is no such key")->excludes(if_version);
  as([=]() -> Result<Command> {
    auto version = number(if_version);
    if (!version) return std::move(version).error();
    if (if_absent->count() > 0) *version = 0;
    return bind(set, SetOptions{*given(key), *given(value), text->count() > 0, *version});
  });

  app = add("del KEY... [--if-version N] | del --prefix P", "Erases keys and prints how many");
  auto* keys = app->add_option("KEY", "The keys, in one commit")
                   ->expected(1, CLI::detail::expected_max_vector_size)
                   ->allow_extra_args();
  auto* del_version =
      app->add_option("--if-version", "Only if the one key has this version")->type_name("N");
  auto* prefix = app->add_option("--prefix", "All keys that begin so, in one commit up to 100000")
                     ->type_name("P")
                     ->excludes(keys)
                     ->excludes(del_version);
  as([=]() -> Result<Command> {
    auto version = number(del_version);
    if (!version) return std::move(version).error();
    if (keys->count() == 0 && prefix->count() == 0) {
      return Error(errc::bad_argument, "which keys? KEY is missing");
    }
    if (*version && keys->count() > 1) {
      return Error(errc::bad_argument, "--if-version is about one KEY");
    }
    return bind(del, DelOptions{all_given(keys), given(prefix), *version});
  });

  app = add("exists KEY", "Ends with 0 if there is such a key, else with 1");
  key = app->add_option("KEY", "The key")->required();
  as([=] { return bind(exists, ExistsOptions{*given(key)}); });
}

void Parser::add_revision_commands() {
  CLI::App* app = add("patch KEY JSON|-", "Changes members of an object, by RFC 7396 (null: away)");
  auto* key = app->add_option("KEY", "The key")->required();
  auto* change =
      app->add_option("JSON", "The members that change; - reads standard input")->required();
  as([=] { return bind(patch, PatchOptions{*given(key), *given(change)}); });

  app = add("incr KEY [N]", "Adds to a whole number (an absent one is 0) and prints it");
  key = app->add_option("KEY", "The key")->required();
  auto* amount = app->add_option("N", "How much; 1 without it, and it may be negative");
  as([=] { return bind(incr, IncrOptions{*given(key), given(amount).value_or("1")}); });

  app = add("edit KEY", "Opens the value in $VISUAL or $EDITOR and sets what comes back");
  key = app->add_option("KEY", "The key")->required();
  as([=] { return bind(edit, EditOptions{*given(key)}); });
}

void Parser::add_listing_commands() {
  CLI::App* app = add("list [PREFIX] [--from KEY] [--to KEY] [--reverse] [--limit N] [-k] [-0]",
                      "Prints records in key order, as JSON lines");
  auto* prefix = app->add_option("PREFIX", "Only keys that begin so");
  auto* from = app->add_option("--from", "From this key on")->type_name("KEY");
  auto* to = app->add_option("--to", "Up to this key, without it")->type_name("KEY");
  auto* reverse = flag(app, "--reverse", "From the last to the first");
  auto* limit = app->add_option("--limit", "At most so many")->type_name("N");
  auto* keys = flag(app, "-k,--keys", "Keys alone");
  auto* zero = flag(app, "-0,--null", "End each with NUL instead of a newline");
  as([=]() -> Result<Command> {
    auto most = number(limit);
    if (!most) return std::move(most).error();
    return bind(list, ListOptions{given(prefix).value_or(""), given(from).value_or(""),
                                  given(to).value_or(""), reverse->count() > 0, *most,
                                  keys->count() > 0, zero->count() > 0});
  });

  app = add("count [PREFIX]", "Prints how many keys there are");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  as([=] { return bind(count, CountOptions{given(prefix).value_or("")}); });

  app = add("dump [PREFIX]", "Prints keys and values as JSON lines, for load");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  as([=] { return bind(dump, DumpOptions{given(prefix).value_or("")}); });

  app = add("watch [PREFIX] [--since POSITION | --snapshot] [--count N]",
            "Prints each change as it comes, as JSON lines");
  prefix = app->add_option("PREFIX", "Only keys that begin so");
  auto* since =
      app->add_option("--since", "What follows this position, or sequence (0: everything)")
          ->type_name("POSITION");
  auto* snapshot = flag(app, "--snapshot", "First what is there")->excludes(since);
  auto* count = app->add_option("--count", "End after so many changes")->type_name("N");
  as([=]() -> Result<Command> {
    auto most = number(count);
    if (!most) return std::move(most).error();
    return bind(watch, WatchOptions{given(prefix).value_or(""), given(since), snapshot->count() > 0,
                                    *most});
  });
}

}  // namespace dfs::cli
