// A SIF file: header, table, where its objects are, and the texts that `inspect` and `sif` print of them.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "image/image_format.h"
#include "sif/sif.h"
#include "sif/sif_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    (void)swrun::launch_line_size(bytes);
    (void)swrun::ext_kind(bytes);
    auto header = swrun::parse_sif_header(bytes, size);
    if (!header) return 0;
    const auto offset = static_cast<std::size_t>(header->descriptors_offset);
    const auto length = static_cast<std::size_t>(header->descriptors_total) * swrun::kSifDescriptorSize;
    if (offset > size || length > size - offset) std::abort();  // it has been compared with the size
    auto objects = swrun::parse_sif_objects(bytes.subspan(offset, length));
    if (!objects) return 0;
    const swrun::Sif sif{*std::move(header), *std::move(objects)};
    for (const swrun::SifObject& object : sif.objects) {
        const auto extent = swrun::sif_extent(object, size);
        if (extent && (extent->offset > size || extent->size > size - extent->offset)) std::abort();
        (void)swrun::format_sif_info(object);
    }
    (void)swrun::sif_primary(sif);
    (void)swrun::format_sif_header(sif.header);
    (void)swrun::format_sif_list(sif);
    return 0;
}
