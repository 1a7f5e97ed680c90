// Unpacked images that are kept for later launches: DIR/UID/KEY/root, where KEY stands for one state of one image
// file.  What has its final name is complete: a tree is made under another name and renamed.  Of several launches
// that want the same tree one makes it and the others wait (flock(2)); where there are no locks each makes its
// own and the first one counts.  A tree that is not what it should be is made again.  Only its owner may look
// into DIR/UID.  Nothing is ever removed but the remains of a tree that is being made again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// Which state of which file, as a text that is kept beside the tree and compared: real path, size, time of
// modification, inode, and where in it the file system lies.  `fd` is the open image.
[[nodiscard]] Result<std::string> image_identity(int fd, std::uint64_t offset, std::uint64_t size,
                                                 const std::string& part);

struct KeptTree {
    std::string path;  // of the tree's root
    dev_t device = 0;  // of that directory
    ino_t inode = 0;
};

class KeptTrees {
public:
    // Makes DIR and DIR/UID where they are missing; DIR's parent has to exist.  Errors: DIR/UID is somebody
    // else's.
    [[nodiscard]] static Result<KeptTrees> open(const std::string& directory);

    // The tree of an image, made by `fill` in an empty directory when there is none yet.  `name` of the image,
    // for messages.
    [[nodiscard]] Result<KeptTree> get(const std::string& identity, const std::string& name,
                                       const std::function<Status(int directory)>& fill) const;

private:
    KeptTrees(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}
    [[nodiscard]] bool find(const std::string& key, const std::string& identity, KeptTree& found) const;
    [[nodiscard]] Fd lock(const std::string& key, const std::string& name) const;
    void remove_remains(const std::string& key) const;
    [[nodiscard]] Status make(const std::string& temporary, const std::string& identity,
                              const std::function<Status(int directory)>& fill) const;
    [[nodiscard]] Status put_in_place(const std::string& temporary, const std::string& key,
                                      const std::string& identity) const;

    Fd directory_;      // DIR/UID
    std::string path_;  // of that
};

}  // namespace swrun
