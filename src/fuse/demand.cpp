#include "fuse/demand.h"

#include <algorithm>
#include <utility>

namespace swrun {

void Eagerness::note(Time waited, Wait kind) {
    const Time soon = kind == Wait::looking ? kSpin : kSoonAsleep;
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
