// Result<T>: a value or an Error, for every function that can fail.  g++ 12 has no <expected>; the
// members here are a subset of std::expected's, so that Result can become an alias of it one day.
// Never throws.  Reading the missing half is a programming error and ends the program (assert).
#pragma once

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

#include "support/error.h"

namespace swrun {

struct Unit {
    friend bool operator==(const Unit&, const Unit&) = default;
};

template <class T> class [[nodiscard]] Result {
public:
    using value_type = T;

    Result() requires std::is_same_v<T, Unit> : state_(Unit{}) {}
    Result(T value)
        : state_(std::in_place_index<0>, std::move(value)) {
    }  // NOLINT(google-explicit-constructor): like std::expected
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] T& value() & { return get(); }
    [[nodiscard]] const T& value() const& { return get(); }
    [[nodiscard]] T&& value() && { return std::move(get()); }
    T& operator*() & { return get(); }
    const T& operator*() const& { return get(); }
    T&& operator*() && { return std::move(get()); }
    T* operator->() { return &get(); }
    const T* operator->() const { return &get(); }

    [[nodiscard]] Error& error() & {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] const Error& error() const& {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] Error&& error() && {
        assert(!has_value());
        return std::move(*std::get_if<1>(&state_));
    }

    template <class U> [[nodiscard]] T value_or(U&& fallback) const& {
        return has_value() ? get() : static_cast<T>(std::forward<U>(fallback));
    }

private:
    T& get() {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& get() const {
        assert(has_value());
        return *std::get_if<0>(&state_);
    }

    std::variant<T, Error> state_;
};

using Status = Result<Unit>;

// Adds one "while ..." line to a failure; a success passes through untouched.
template <class T> Result<T> with_context(Result<T> result, std::string_view what) {
    if (!result) result.error().add_context(what);
    return result;
}

}  // namespace swrun

#define SWRUN_CONCAT_INNER(a, b) a##b
#define SWRUN_CONCAT(a, b) SWRUN_CONCAT_INNER(a, b)

// SWRUN_TRY(auto fd, open_file(path));  declares or assigns, returns the Error on failure.
#define SWRUN_TRY(decl, expr) SWRUN_TRY_IMPL(decl, expr, SWRUN_CONCAT(swrun_result_, __LINE__))
#define SWRUN_TRY_IMPL(decl, expr, name)       \
    auto name = (expr);                        \
    if (!name) return std::move(name).error(); \
    decl = std::move(name).value()

// SWRUN_CHECK(write_all(fd, text));  for a Status, or a value that nobody needs.
#define SWRUN_CHECK(expr)                                          \
    do {                                                           \
        auto swrun_status = (expr);                                \
        if (!swrun_status) return std::move(swrun_status).error(); \
    } while (false)
