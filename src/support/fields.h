// One list of the fields of a plain struct, from which everything that has to know all of them is made: JSON, keys, wire
// formats.  A field that is not in the list stops the compilation wherever the list is used, so nobody can add one
// without deciding what becomes of it.  Compile time only; knows no format.
//
//     template <> struct FieldsOf<Point> {
//         static constexpr auto list = std::tuple{field("x", &Point::x), field("y", &Point::y)};
//     };
//     each_field(point, [](const auto& about, auto& value) { ... about.name ... });
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace swrun {

// `Note` is what a room wants to say about a field besides its name.
template <class Owner, class T, class Note> struct Field {
    const char* name;
    T Owner::*member;
    Note note;
};

struct NoNote {};

template <class Owner, class T> constexpr Field<Owner, T, NoNote> field(const char* name, T Owner::*member) {
    return {name, member, {}};
}
template <class Owner, class T, class Note>
constexpr Field<Owner, T, Note> field(const char* name, T Owner::*member, Note note) {
    return {name, member, note};
}

template <class T> struct FieldsOf;  // specialise: a constexpr std::tuple of Field called `list`

template <class T> concept Listed = requires { FieldsOf<std::remove_const_t<T>>::list; };

namespace fields_detail {

struct Anything {
    template <class T> operator T() const;  // NOLINT(google-explicit-constructor): stands for any field, never called
};

// How many initialisers an aggregate takes.  std::optional of a number takes itself and the number: use another type.
template <class T, class... Taken> constexpr std::size_t count() {
    if constexpr (requires { T{Taken{}..., Anything{}}; }) {
        return count<T, Taken..., Anything>();
    } else {
        return sizeof...(Taken);
    }
}

template <class A, class B> constexpr bool same_member(const A& a, const B& b) {
    if constexpr (std::is_same_v<decltype(a.member), decltype(b.member)>) return a.member == b.member;
    return false;
}

// Each member once: a list with one twice could have the right length.
template <class List> constexpr bool no_member_twice([[maybe_unused]] const List& list) {
    if constexpr (std::tuple_size_v < List >> 0) {
        return std::apply(
            [](const auto&... each) {
                const auto times = [&](const auto& one) {
                    return (std::size_t{0} + ... + (same_member(one, each) ? 1 : 0));
                };
                return ((times(each) == 1) && ...);
            },
            list);
    }
    return true;
}

}  // namespace fields_detail

template <class T> constexpr std::size_t kFieldCount = fields_detail::count<T>();

// Calls visit(field, value) for every field, in the order of the list.
template <Listed T, class Visit> constexpr void each_field(T& of, Visit&& visit) {
    using Plain = std::remove_const_t<T>;
    constexpr auto& list = FieldsOf<Plain>::list;
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(list)>> == kFieldCount<Plain>,
                  "a field of this struct is missing in its list");
    static_assert(fields_detail::no_member_twice(list), "a field stands in the list twice");
    std::apply([&](const auto&... each) { (visit(each, of.*(each.member)), ...); }, list);
}

}  // namespace swrun
