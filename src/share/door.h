// A door: the abstract socket by which launches of one node find each other (unix(7)).  It needs no file system and
// vanishes with its holder, so nothing stale is ever met.  Whoever binds the name leads; others knock, show a pidfd
// of theirs and get namespaces.  Both sides make sure that the other is the same user.
#pragma once

#include <chrono>
#include <string>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// What a holder gives away.
struct Namespaces {
    Fd user;
    Fd mount;  // invalid: the user namespace alone
};

// Binds and listens.  EADDRINUSE: somebody else leads.
[[nodiscard]] Result<Fd> open_door(const std::string& key);

// Connects.  ECONNREFUSED: nobody leads (yet, or any more); EPERM: somebody else's process has the name; EAGAIN:
// too many wait there already.
[[nodiscard]] Result<Fd> knock(const std::string& key);

// Shows `pidfd`, whose process counts as a user until it ends, and waits for the answer as long as the holder
// lives.  ECONNRESET: it has gone without one; ETIMEDOUT; EPERM: it is
// not in the user namespace of this process.
[[nodiscard]] Result<Namespaces> ask(int connection, int pidfd, std::chrono::seconds patience);

// The holder's side: whether a connection comes from the same user.
[[nodiscard]] bool is_same_user(int connection);

}  // namespace swrun
