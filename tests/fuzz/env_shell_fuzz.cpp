// Text of an image's environment file: read and evaluated by shell_lite.
#include <cstdint>
#include <cstdlib>

#include "shell/shell_lite.h"
#include "support/fake_tree.h"

namespace {

swrun::FakeTree make_tree() {
    swrun::FakeTree tree;
    tree.dir("/opt/tool")
        .file("/opt/tool/env.sh", "export SOURCED=yes\nreturn 3\n")
        .file("/opt/loop.sh", ". /opt/loop.sh\n");
    tree.link("/opt/current", "tool").link("/opt/broken", "nowhere");
    return tree;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const swrun::FakeTree kTree = make_tree();
    swrun::ShellSession session;
    session.variables["HOST"] = {"h", true, true, false, "caller"};
    session.protected_names = {"UID"};
    session.positional = {"cmd", "two words"};
    swrun::ShellOptions options;
    options.tree = &kTree;
    options.working_directory = "/opt";
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const swrun::ShellOutcome outcome = swrun::run_shell_text("/e.sh", text, session, options);
    const bool unsupported = outcome.kind == swrun::ShellOutcome::Kind::unsupported;
    const bool has_reason = outcome.refusal.kind != swrun::Refusal::Kind::none && !outcome.refusal.reason.empty();
    if (unsupported != has_reason) std::abort();
    return 0;
}
