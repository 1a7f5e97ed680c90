#include "unpack/tree_walk.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "squashfs/damage.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kBatch = 512;  // entries

struct Directory {
    std::string path;
    SquashNode node;
};

class Walk {
public:
    Walk(SquashReader& reader, TreeVisitor& visitor) : reader_(reader), visitor_(visitor) {}

    Status run(const SquashNode& start) {
        SWRUN_CHECK(add("", start));
        while (!waiting_.empty()) {
            const Directory directory = std::move(waiting_.back());
            waiting_.pop_back();
            SWRUN_CHECK(with_context(list(directory), "reading the image's directory /" + printable(directory.path)));
        }
        return {};
    }

private:
    Status add(std::string path, const SquashNode& node) {
        if (!seen_.insert(node.id).second) {
            return image_damaged("the directory /" + printable(path) + " is in two places");
        }
        waiting_.push_back({std::move(path), node});
        return {};
    }

    Status list(const Directory& directory) {
        SWRUN_CHECK(visitor_.enter(directory.path));
        const std::size_t first = waiting_.size();
        std::uint64_t from = 0;
        for (;;) {
            SWRUN_TRY(const std::vector<SquashEntry> entries, reader_.list(directory.node, from, kBatch));
            for (const SquashEntry& entry : entries) {
                SWRUN_TRY(const SquashNode node, reader_.node(entry.id));
                SWRUN_CHECK(visitor_.visit(entry.name, node));
                if (node.kind != SquashNode::Kind::directory) continue;
                SWRUN_CHECK(add(directory.path.empty() ? entry.name : join_path(directory.path, entry.name), node));
            }
            if (entries.size() < kBatch) break;
            from = entries.back().next;
        }
        // The first is taken first: files lie in the image in the order of the tree.
        std::reverse(waiting_.begin() + static_cast<std::ptrdiff_t>(first), waiting_.end());
        return visitor_.leave();
    }

    SquashReader& reader_;
    TreeVisitor& visitor_;
    std::vector<Directory> waiting_;
    std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

Status walk_tree(SquashReader& reader, const SquashNode& start, TreeVisitor& visitor) {
    return Walk(reader, visitor).run(start);
}

}  // namespace swrun
