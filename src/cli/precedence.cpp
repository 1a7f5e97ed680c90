#include "cli/precedence.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "cli/name_list.h"
#include "support/text.h"

namespace swrun {
namespace {

using O = OptionId;
using R = LaunchRequest;

template <class T> struct Place {
    OptionId id;
    T R::*member;
};

constexpr Place<Flag> kFlags[] = {
    {O::no_home, &R::no_home},
    {O::contain, &R::contain},
    {O::containall, &R::containall},
    {O::writable, &R::writable},
    {O::writable_tmpfs, &R::writable_tmpfs},
    {O::underlay, &R::underlay},
    {O::unsquash, &R::unsquash},
    {O::cleanenv, &R::cleanenv},
    {O::no_eval, &R::no_eval},
    {O::no_umask, &R::no_umask},
    {O::pid, &R::pid},
    {O::no_pid, &R::no_pid},
    {O::no_init, &R::no_init},
    {O::ipc, &R::ipc},
    {O::uts, &R::uts},
    {O::net, &R::net},
    {O::no_privs, &R::no_privs},
    {O::keep_privs, &R::keep_privs},
    {O::fakeroot, &R::fakeroot},
    {O::ignore_subuid, &R::ignore_subuid},
    {O::compat, &R::compat},
    {O::strict_compat, &R::strict_compat},
    {O::nv, &R::nv},
    {O::rocm, &R::rocm},
    {O::hot_cache, &R::hot_cache},
};
constexpr Place<Text> kTexts[] = {
    {O::home, &R::home},
    {O::cwd, &R::cwd},
    {O::workdir, &R::workdir},
    {O::dns, &R::dns},
    {O::add_caps, &R::add_caps},
    {O::drop_caps, &R::drop_caps},
    {O::shell, &R::shell},
    {O::app, &R::app},
    {O::hostname, &R::hostname},
    {O::network, &R::network},
    {O::unpack_dir, &R::unpack_directory},
};
constexpr Place<List> kLists[] = {
    {O::no_mount, &R::no_mount},  {O::scratch, &R::scratch},      {O::no_env, &R::no_env},
    {O::env_file, &R::env_files}, {O::security, &R::security},    {O::containlibs, &R::containlibs},
    {O::keep_env, &R::keep_env},  {O::fusemount, &R::fusemounts},
};

// Origin::Kind lists the sources from the lowest to the highest.
int rank(const Origin& origin) { return static_cast<int>(origin.kind); }

// `cause` switches `effect` on, unless somebody of at least the same rank has decided about it by name.
void imply(const Flag& cause, Flag& effect) {
    if (!cause.value) return;
    if (effect.origin.kind != Origin::Kind::builtin && rank(effect.origin) >= rank(cause.origin)) return;
    effect = cause;
}

void resolve_implications(const Settings& settings, LaunchRequest& launch) {
    const int pid_by_name = rank(launch.pid.origin);
    imply(launch.compat, launch.containall);
    for (Flag R::*member : {&R::no_init, &R::no_umask, &R::no_eval, &R::writable_tmpfs}) {
        imply(launch.compat, launch.*member);
    }
    for (Flag R::*member : {&R::contain, &R::pid, &R::ipc, &R::cleanenv}) imply(launch.containall, launch.*member);
    // Apptainer has the option and does nothing about it.
    if (launch.strict_compat.value) launch.no_pid = {};
    if (launch.no_pid.value && pid_by_name <= rank(launch.no_pid.origin)) launch.pid = {false, launch.no_pid.origin};
    if (launch.hostname.value) imply({true, launch.hostname.origin}, launch.uts);
    if (launch.network.value) imply({true, launch.network.origin}, launch.net);
    // The programs that serve end with those who are served: only a pid namespace sees to that.
    if (!launch.fusemounts.empty()) {
        if (!launch.pid.value) launch.pid = {true, launch.fusemounts.front().origin};
        launch.no_pid = {};
    }
    // These are for a default of the site; a user who asks for both wants the devices.
    const Flag no_nv = flag_of(settings, O::no_nv);
    if (no_nv.value && rank(launch.nv.origin) < rank(no_nv.origin)) launch.nv = {false, no_nv.origin};
    const Flag no_rocm = flag_of(settings, O::no_rocm);
    if (no_rocm.value && rank(launch.rocm.origin) < rank(no_rocm.origin)) launch.rocm = {false, no_rocm.origin};
}

std::string asked_by(const OptionSpec& spec, const Origin& origin) {
    std::string text = "--" + std::string(spec.name);
    if (origin.kind != Origin::Kind::argument) text.append(" (from ").append(to_text(origin)).append(")");
    return text;
}

// Root inside may ask for any network: the installation decides whether there is one, and without a privileged part
// there is none but the loopback device.  Workflows pass both options everywhere and count on that.
Status settle_network(LaunchRequest& launch, std::vector<Note>& notes) {
    if (!launch.net.value) return Unit{};
    const std::string kind = launch.network.value ? std::string(trim(*launch.network.value)) : "bridge";
    if (kind == "none") return Unit{};
    const Origin& origin = launch.network.value ? launch.network.origin : launch.net.origin;
    if (launch.fakeroot.value) {
        notes.push_back({Level::warning,
                         "--fakeroot without a privileged installation could not use 'fakeroot' network, fallback to "
                         "'none' network (asked by " +
                             to_text(origin) + ")"});
        launch.network.value = "none";
        return Unit{};
    }
    return make_error(Error::Kind::request,
                      "network " + kind + " requires root; only none is possible (asked by " + to_text(origin) + ")")
        .with_hint("--net --network none gives a loopback device only; without --net the host's network is used");
}

// "auto, fuse or unpack"
std::string alternatives(std::span<const std::string_view> words) {
    std::string text;
    for (const std::string_view& word : words) append_name(text, &word == &words.back() ? " or " : ", ", word);
    return text;
}

// An option of which only some words are values: `meanings` are theirs, in the order of the table.  The first one
// counts where nobody asked.  `what` names the thing in the error.
template <class E, std::size_t N>
Result<Asked<E>> choice_of(const Settings& settings, OptionId id, const E (&meanings)[N], std::string_view what) {
    const auto words = choices_of(spec_of(id));
    const Text asked = text_of(settings, id);
    if (!asked.value) return Asked<E>{meanings[0], asked.origin};
    for (std::size_t i = 0; i < std::min(N, words.size()); ++i) {
        if (words[i] == *asked.value) return Asked<E>{meanings[i], asked.origin};
    }
    return make_error(Error::Kind::request, "unknown " + std::string(what) + " " + printable(*asked.value) + " (from " +
                                                to_text(asked.origin) + ")")
        .with_hint(alternatives(words));
}

Status fill_choices(const Settings& settings, LaunchRequest& launch) {
    constexpr ImageMode kModes[] = {ImageMode::automatic, ImageMode::fuse, ImageMode::unpack};
    constexpr ImageReader kReaders[] = {ImageReader::own, ImageReader::squashfuse};
    constexpr ShareMode kShares[] = {ShareMode::automatic, ShareMode::always, ShareMode::never};
    SWRUN_TRY(launch.image_mode, choice_of(settings, O::image_mode, kModes, "image mode"));
    SWRUN_TRY(launch.image_reader, choice_of(settings, O::image_reader, kReaders, "image reader"));
    SWRUN_TRY(launch.share, choice_of(settings, O::share, kShares, "way to share"));
    const Flag sharens = flag_of(settings, O::sharens);
    if (!text_of(settings, O::share).value) {
        launch.share = {sharens.value ? ShareMode::always : ShareMode::automatic, sharens.origin};
    }
    return Unit{};
}

// Seconds; a day is long enough.
Result<Asked<std::uint32_t>> linger_of(const Settings& settings) {
    constexpr std::uint64_t kMost = 86400;
    const Text asked = text_of(settings, O::linger);
    if (!asked.value || asked.value->empty()) return Asked<std::uint32_t>{0, asked.origin};
    const std::optional<std::uint64_t> seconds = parse_decimal(trim(*asked.value));
    if (seconds && *seconds <= kMost) return Asked<std::uint32_t>{static_cast<std::uint32_t>(*seconds), asked.origin};
    const std::string by = " (from " + to_text(asked.origin) + ")";
    return make_error(Error::Kind::request, "not a number of seconds to linger: " + printable(*asked.value) + by)
        .with_hint("0 to 86400");
}

void fill_overlays(const Settings& settings, LaunchRequest& launch) {
    for (const auto& [text, origin] : settings.of(O::overlay)) {
        OverlaySpec spec{text, false, origin};
        if (text.ends_with(":ro") || text.ends_with(":rw")) {
            spec.read_only = text.ends_with(":ro");
            spec.path.resize(text.size() - 3);
        }
        launch.overlays.push_back(std::move(spec));
    }
}

void fill_limits(const Settings& settings, LimitRequest& limits) {
    limits.memory = text_of(settings, O::memory);
    limits.memory_reservation = text_of(settings, O::memory_reservation);
    limits.memory_swap = text_of(settings, O::memory_swap);
    limits.oom_kill_disable = flag_of(settings, O::oom_kill_disable);
    limits.cpus = text_of(settings, O::cpus);
    limits.cpu_shares = text_of(settings, O::cpu_shares);
    limits.cpuset_cpus = text_of(settings, O::cpuset_cpus);
    limits.cpuset_mems = text_of(settings, O::cpuset_mems);
    limits.pids_limit = text_of(settings, O::pids_limit);
    limits.blkio_weight = text_of(settings, O::blkio_weight);
    limits.blkio_weight_device = settings.of(O::blkio_weight_device);
    limits.file = text_of(settings, O::apply_cgroups);
}

Level level_from_number(int number) {
    if (number >= 5) return Level::debug;
    if (number == 4) return Level::verbose;
    if (number >= 1) return Level::info;
    if (number >= -1) return Level::quiet;
    return number == -2 ? Level::warning : number == -3 ? Level::error : Level::fatal;
}

}  // namespace

Flag flag_of(const Settings& settings, OptionId id) {
    const List& values = settings.of(id);
    if (values.empty()) return {};
    return {values.back().value == "true", values.back().origin};
}

Text text_of(const Settings& settings, OptionId id) {
    const List& values = settings.of(id);
    if (values.empty()) return {};
    if (values.back().value.empty()) return {std::nullopt, values.back().origin};  // --pwd "": as if not given
    return {values.back().value, values.back().origin};
}

Status check_supported(const Settings& settings, std::vector<Note>& notes) {
    for (const OptionSpec& spec : options()) {
        const List& values = settings.of(spec.id);
        if (values.empty() || spec.support == Support::yes) continue;
        if (spec.kind == ValueKind::boolean && values.back().value != "true") continue;
        if (spec.support == Support::ignored) {
            if (!spec.reason.empty()) notes.push_back({Level::warning, std::string(spec.reason)});
            continue;
        }
        return make_error(Error::Kind::request,
                          asked_by(spec, values.back().origin) + " is not supported: " + std::string(spec.reason))
            .with_hint(spec.instead);
    }
    return Unit{};
}

Status fill_launch(const Settings& settings, Invocation& into) {
    LaunchRequest& launch = into.launch;
    for (const auto& [id, member] : kFlags) launch.*member = flag_of(settings, id);
    for (const auto& [id, member] : kTexts) launch.*member = text_of(settings, id);
    for (const auto& [id, member] : kLists) launch.*member = settings.of(id);
    fill_overlays(settings, launch);
    fill_limits(settings, launch.limits);
    into.bind_texts = settings.of(O::bind);
    into.mount_texts = settings.of(O::mount);
    into.env_texts = settings.of(O::env);
    resolve_implications(settings, launch);
    if (!launch.fusemounts.empty() && flag_of(settings, O::no_pid).value) {
        into.notes.push_back({Level::warning, "--no-pid is ignored: --fusemount needs process numbers of its own"});
    }
    SWRUN_CHECK(settle_network(launch, into.notes));
    SWRUN_CHECK(fill_choices(settings, launch));
    SWRUN_TRY(launch.linger, linger_of(settings));
    into.dry_run = flag_of(settings, O::dry_run).value;
    into.explain_env = flag_of(settings, O::explain_env).value;
    into.timings = flag_of(settings, O::timings).value;
    return Unit{};
}

void fill_inspect(const Settings& settings, Invocation& into) {
    const auto on = [&](OptionId id) { return flag_of(settings, id).value; };
    InspectRequest& ask = into.inspect;
    ask.labels = on(O::labels);
    ask.deffile = on(O::deffile);
    ask.runscript = on(O::runscript);
    ask.startscript = on(O::startscript);
    ask.test = on(O::testscript);
    ask.environment = on(O::environment);
    ask.helpfile = on(O::helpfile);
    ask.list_apps = on(O::list_apps);
    ask.all = on(O::all);
    ask.json = on(O::json) || ask.all;
    ask.app = text_of(settings, O::inspect_app).value.value_or("");
}

Level level_of(const Settings& settings, const Variables& variables) {
    if (flag_of(settings, O::debug).value) return Level::debug;
    if (flag_of(settings, O::verbose).value) return Level::verbose;
    if (flag_of(settings, O::quiet).value) return Level::quiet;
    if (flag_of(settings, O::silent).value) return Level::error;
    const auto found = variables.find("MESSAGELEVEL");
    if (!found) return Level::info;
    const std::string_view text = trim(found->value);
    int number = 1;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc{} && end == text.data() + text.size() ? level_from_number(number) : Level::info;
}

}  // namespace swrun
