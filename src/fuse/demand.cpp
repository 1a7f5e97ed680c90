#include "fuse/demand.h"

#include <utility>

namespace swrun {

void Eagerness::note(Time waited, Wait kind) {
    // Who walks and who answers take turns.  On one processor that costs two switches and no interrupt: nothing is faster,
    // where the scheduler finds no idle processor to move the walker to.  Where it does, only looking helps.
    if (kind == Wait::asleep_here && sees_walk()) {
        if (!in_turns_) score_ = kMost;
        return;
    }
    const Time soon = kind == Wait::looking ? kSpin : kind == Wait::asleep_here ? kSoon : kSoonElsewhere;
    score_ = waited <= soon ? std::min(score_ + 1, kMost) : std::max(score_ - kLoss, 0);
}

// Who waits for an answer asks nothing else meanwhile; where both share a processor he may well ask again before who answered
// gets to wait.  For pages the kernel asks ahead, and he goes on.
void Backlog::note(const SeenRequest& request) {
    const bool is_other = std::exchange(asker_, request.asker) != request.asker;
    const bool goes_on = std::exchange(reads_, request.reads) || request.reads;
    row_ = request.was_there && (is_other || goes_on) ? std::min(row_ + 1, kRow) : 0;
}

}  // namespace swrun
