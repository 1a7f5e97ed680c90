// Lexical path tools: nothing here looks at a file system.  Paths are bytes separated by '/'.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace swrun {

// "/a//b/./c/../d/" -> "/a/b/d"; ".." at the root stays at the root.  A relative path stays relative
// and keeps leading "..".  The empty path becomes ".".
[[nodiscard]] std::string clean_path(std::string_view path);

// clean_path of `path`, taken from `base` (absolute) when it is relative.
[[nodiscard]] std::string absolute_path(std::string_view path, std::string_view base);

// The components of a path without empty ones; "/" gives none.
// They point into the path, so a temporary one is refused.
[[nodiscard]] std::vector<std::string_view> components(std::string_view path);
template <class Path>
requires std::same_as<Path, std::string> std::vector<std::string_view> components(Path&& path)
= delete;

// By component: "/a/b" is below "/a" and "/", and below itself; "/ab" is not below "/a".
[[nodiscard]] bool is_below(std::string_view path, std::string_view directory);

// "/" for "/a"; "/a" for "/a/b".  `path` is absolute and clean.
[[nodiscard]] std::string_view parent_path(std::string_view path);

// "b" for "/a/b"; "/" for "/".
[[nodiscard]] std::string_view base_name(std::string_view path);

// Exactly one '/' between the two.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace swrun
