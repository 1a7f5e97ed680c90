#include "unpack/survey.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "unpack/tree_walk.h"

namespace swrun {
namespace {

// An image that needs more than this many times the room is not looked at to its end: it may claim anything.
constexpr std::uint64_t kEnough = 16;

class Surveyor : public TreeVisitor {
public:
    Surveyor(SquashReader& reader, const Space& room)
        : reader_(reader),
          page_(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))),
          limit_(room.bytes > UINT64_MAX / kEnough ? UINT64_MAX : room.bytes * kEnough) {}

    Status enter(const std::string&) override { return {}; }

    Status visit(const std::string&, const SquashNode& node) override {
        if (survey.bytes > limit_ || survey.entries > limit_ / kEntryBytes) {
            survey.complete = false;
            return make_error(Error::Kind::image, "enough");  // only ends the walk
        }
        if (node.kind == SquashNode::Kind::directory) {
            survey.bytes += page_;
        } else if (node.nlink > 1 && !linked_.insert(node.id).second) {
            return {};
        }
        ++survey.entries;
        if (node.kind != SquashNode::Kind::file) return {};
        std::uint64_t size = node.size;
        if (size > reader_.source().super().block_size) {
            SWRUN_TRY(size, reader_.filled_size(node));
        }
        const std::uint64_t rounded = size > UINT64_MAX - page_ ? size : (size + page_ - 1) / page_ * page_;
        survey.bytes = rounded > UINT64_MAX - survey.bytes ? UINT64_MAX : survey.bytes + rounded;
        return {};
    }

    Survey survey;

private:
    SquashReader& reader_;
    std::uint64_t page_;
    std::uint64_t limit_;
    std::unordered_set<std::uint64_t> linked_;
};

}  // namespace

Result<Survey> survey_tree(SquashReader& reader, const SquashNode& start, const Space& room) {
    Surveyor surveyor(reader, room);
    if (start.kind != SquashNode::Kind::directory) {
        SWRUN_CHECK(surveyor.visit("", start));
        return surveyor.survey;
    }
    Status walked = walk_tree(reader, start, surveyor);
    if (!walked && surveyor.survey.complete) return std::move(walked).error();
    return surveyor.survey;
}

Status check_room(const Survey& survey, const Space& room, const std::string& where) {
    const std::uint64_t extra = survey.entries * kEntryBytes;
    const std::uint64_t bytes = extra > UINT64_MAX - survey.bytes ? UINT64_MAX : survey.bytes + extra;
    const auto refuse = [&](const std::string& needed, const std::string& there) {
        Error error = make_error(Error::Kind::host, "unpacking it needs " +
                                                        std::string(survey.complete ? "" : "more than ") + needed +
                                                        " " + where + ", " + there);
        error.sys_errno = ENOSPC;
        return error;
    };
    if (bytes > room.bytes) {
        return refuse(size_text(bytes), size_text(room.bytes) + " are free");
    }
    if (survey.entries > room.entries) {
        return refuse("room for " + std::to_string(survey.entries) + " files",
                      "there is room for " + std::to_string(room.entries));
    }
    return {};
}

}  // namespace swrun
