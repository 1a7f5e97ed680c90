#include "fuse/hot_writer.h"

#include <csignal>
#include <iterator>
#include <system_error>
#include <utility>

namespace swrun {

HotWriter::HotWriter(std::shared_ptr<const HotCache> hot, BlockCache& data, BlockCache& metadata)
    : hot_(std::move(hot)), data_(data), metadata_(metadata) {
    // A limit of file sizes (ulimit -f) is an error of write(2), and no reason to die.
    if (hot_) std::signal(SIGXFSZ, SIG_IGN);
}

HotWriter::~HotWriter() {
    if (writer_.joinable()) writer_.join();
}

// Metadata first: of these the most fit.
std::vector<KeptBlock> HotWriter::take() {
    std::vector<KeptBlock> blocks = metadata_.take_kept();
    std::vector<KeptBlock> data = data_.take_kept();
    blocks.insert(blocks.end(), std::make_move_iterator(data.begin()), std::make_move_iterator(data.end()));
    return blocks;
}

void HotWriter::write_aside() {
    if (!hot_ || writes_) return;
    std::vector<KeptBlock> blocks = take();
    if (blocks.empty()) return;
    if (writer_.joinable()) writer_.join();
    try {
        writes_ = true;
        writer_ = std::thread([this, blocks = std::move(blocks)] {
            (void)hot_->add(blocks);
            writes_ = false;
        });
    } catch (const std::system_error&) {
        writes_ = false;  // the limit of processes is reached (ulimit -u): the next launch tells it again
    }
}

void HotWriter::finish() {
    if (!hot_) return;
    if (writer_.joinable()) writer_.join();
    (void)hot_->add(take());
}

}  // namespace swrun
