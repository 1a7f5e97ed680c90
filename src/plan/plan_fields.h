// Every field of every type of the plan, once: its name for people, and what it means for launches that share a tree.
// --dry-run (resolve/plan_json) and the keys of sharing (share/share_keys) are made of these lists, so a field that is
// added to a type does not compile until somebody has decided about both.
#pragma once

#include "plan/launch_plan.h"
#include "support/fields.h"

namespace swrun {

// Launches with one tree agree in it.
enum class Agree : std::uint8_t {
    no,     // each launch has its own: who asked, what is said, the program
    yes,    // another value is another tree
    place,  // likewise, and what lies at this path of the host counts: a directory that was replaced is another one
    made,   // likewise, of a path that the first launch makes: known by where it lies
};

enum class Show : std::uint8_t {
    plain,
    octal,   // modes
    set,     // a struct of switches: the names of those that are on
    merged,  // the fields of the value stand beside the others
};

// A type for each, so that a visitor can tell them apart while it is compiled.
template <Agree A, Show S = Show::plain> struct PlanNote {
    static constexpr Agree agree = A;
    static constexpr Show show = S;
};

constexpr PlanNote<Agree::no> kOwn;
constexpr PlanNote<Agree::yes> kAgreed;
constexpr PlanNote<Agree::place> kPlace;
constexpr PlanNote<Agree::made> kMadePlace;
constexpr PlanNote<Agree::no, Show::octal> kOwnMode;
constexpr PlanNote<Agree::yes, Show::octal> kAgreedMode;
constexpr PlanNote<Agree::yes, Show::set> kAgreedSet;
constexpr PlanNote<Agree::yes, Show::merged> kAgreedMerged;

// The word for an alternative of a variant.
template <class T> constexpr const char* kKind = nullptr;
template <> inline constexpr const char* kKind<BindMount> = "bind";
template <> inline constexpr const char* kKind<MadeBind> = "made";
template <> inline constexpr const char* kKind<ImageBind> = "image";
template <> inline constexpr const char* kKind<TmpfsMount> = "tmpfs";
template <> inline constexpr const char* kKind<ProcMount> = "proc";
template <> inline constexpr const char* kKind<DevptsMount> = "devpts";
template <> inline constexpr const char* kKind<MqueueMount> = "mqueue";
template <> inline constexpr const char* kKind<GeneratedFile> = "generated";
template <> inline constexpr const char* kKind<ServedByProgram> = "fuse";
template <> inline constexpr const char* kKind<ByOurServer> = "swrun";
template <> inline constexpr const char* kKind<ByDriver> = "driver";
template <> inline constexpr const char* kKind<ByUnpacking> = "unpacked";
template <> inline constexpr const char* kKind<DirectoryRoot> = "directory";
template <> inline constexpr const char* kKind<ImageRoot> = "image";
template <> inline constexpr const char* kKind<DirectoryLayer> = "directory";
template <> inline constexpr const char* kKind<ImageLayer> = "image";
template <> inline constexpr const char* kKind<NoUpper> = "none";
template <> inline constexpr const char* kKind<TmpfsUpper> = "tmpfs";
template <> inline constexpr const char* kKind<DirectoryUpper> = "directory";
template <> inline constexpr const char* kKind<ImageUpper> = "image";

template <> struct FieldsOf<Ghost> {
    static constexpr auto list = std::tuple{
        field("kind", &Ghost::kind, kAgreed),     field("path", &Ghost::path, kAgreed),
        field("mode", &Ghost::mode, kAgreedMode), field("content", &Ghost::content, kAgreed),
        field("merge", &Ghost::merge, kAgreed),   field("merge_with", &Ghost::merge_with, kOwn)};
};

template <> struct FieldsOf<ImageId> {
    static constexpr auto list = std::tuple{
        field("device", &ImageId::device, kAgreed), field("inode", &ImageId::inode, kAgreed),
        field("changed", &ImageId::changed, kAgreed), field("offset", &ImageId::offset, kAgreed),
        field("size", &ImageId::size, kAgreed)};
};

template <> struct FieldsOf<ImageFacts> {
    using F = ImageFacts;
    static constexpr auto list = std::tuple{field("kind", &F::kind, kAgreed),
                                            field("path", &F::path, kAgreed),
                                            field("name", &F::name, kOwn),
                                            field("real_path", &F::real_path, kOwn),
                                            field("offset", &F::offset, kAgreed),
                                            field("size", &F::size, kAgreed),
                                            field("device", &F::device, kAgreed),
                                            field("inode", &F::inode, kAgreed),
                                            field("changed", &F::changed, kAgreed),
                                            field("sif", &F::is_sif, kOwn),
                                            field("architecture", &F::architecture, kOwn),
                                            field("writable_by_caller", &F::writable_by_caller, kOwn)};
};

template <> struct FieldsOf<ByOurServer> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<ByDriver> {
    static constexpr auto list = std::tuple{field("program", &ByDriver::program, kAgreed),
                                            field("writable", &ByDriver::writable, kAgreed)};
};
template <> struct FieldsOf<ByUnpacking> {
    static constexpr auto list = std::tuple{field("kept_in", &ByUnpacking::kept_in, kAgreed)};
};

template <> struct FieldsOf<ImageMount> {
    using F = ImageMount;
    static constexpr auto list = std::tuple{
        field("image", &F::image, kAgreed),      field("id", &F::id, kAgreed),
        field("part", &F::part, kAgreed),        field("is_directory", &F::is_directory, kAgreed),
        field("served_by", &F::method, kAgreed), field("asked_by", &F::origin, kOwn)};
};

template <> struct FieldsOf<OwnerView> {
    static constexpr auto list = std::tuple{field("as_stored", &OwnerView::as_stored, kAgreed),
                                            field("uid", &OwnerView::uid, kAgreed),
                                            field("gid", &OwnerView::gid, kAgreed)};
};

template <> struct FieldsOf<DirectoryRoot> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<ImageRoot> {
    static constexpr auto list = std::tuple{field("image_mount", &ImageRoot::image_mount, kAgreed)};
};
template <> struct FieldsOf<DirectoryLayer> {
    static constexpr auto list = std::tuple{field("path", &DirectoryLayer::path, kPlace)};
};
template <> struct FieldsOf<ImageLayer> {
    static constexpr auto list = std::tuple{field("path", &ImageLayer::path, kAgreed),
                                            field("image_mount", &ImageLayer::image_mount, kAgreed),
                                            field("below", &ImageLayer::below, kAgreed)};
};
template <> struct FieldsOf<NoUpper> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<TmpfsUpper> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<DirectoryUpper> {
    static constexpr auto list = std::tuple{field("path", &DirectoryUpper::path, kPlace)};
};
template <> struct FieldsOf<ImageUpper> {
    static constexpr auto list = std::tuple{field("path", &ImageUpper::path, kAgreed),
                                            field("image_mount", &ImageUpper::image_mount, kAgreed)};
};

template <> struct FieldsOf<RootPlan> {
    using F = RootPlan;
    static constexpr auto list = std::tuple{field("image", &F::image, kAgreed),
                                            field("source", &F::source, kAgreed),
                                            field("owners", &F::owners, kAgreed),
                                            field("writable", &F::writable, kAgreed),
                                            field("upper", &F::upper, kAgreed),
                                            field("read_only_layers", &F::read_only_layers, kAgreed),
                                            field("layers_asked_by", &F::layer_origin, kOwn),
                                            field("overlay_driver", &F::overlay_driver, kAgreed),
                                            field("underlay", &F::underlay, kAgreed),
                                            field("added_in_a_layer", &F::ghost_layer, kAgreed),
                                            field("added", &F::ghosts, kAgreed)};
};

template <> struct FieldsOf<MountFlags> {
    using F = MountFlags;
    static constexpr auto list = std::tuple{field("ro", &F::read_only, kAgreed), field("nosuid", &F::no_suid, kAgreed),
                                            field("nodev", &F::no_dev, kAgreed), field("noexec", &F::no_exec, kAgreed),
                                            field("recursive", &F::recursive, kAgreed)};
};

template <> struct FieldsOf<BindMount> {
    static constexpr auto list = std::tuple{field("source", &BindMount::source, kPlace)};
};
template <> struct FieldsOf<MadeBind> {
    static constexpr auto list = std::tuple{field("source", &MadeBind::source, kMadePlace),
                                            field("mode", &MadeBind::mode, kAgreedMode)};
};
template <> struct FieldsOf<ImageBind> {
    static constexpr auto list = std::tuple{field("source", &ImageBind::source, kAgreed),
                                            field("image_mount", &ImageBind::image_mount, kAgreed),
                                            field("path", &ImageBind::path, kAgreed)};
};
template <> struct FieldsOf<TmpfsMount> {
    static constexpr auto list = std::tuple{field("mode", &TmpfsMount::mode, kAgreedMode),
                                            field("content", &TmpfsMount::content, kAgreed)};
};
template <> struct FieldsOf<ProcMount> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<DevptsMount> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<MqueueMount> { static constexpr auto list = std::tuple{}; };
template <> struct FieldsOf<GeneratedFile> {
    static constexpr auto list = std::tuple{field("file", &GeneratedFile::file, kAgreed)};
};
template <> struct FieldsOf<ServedByProgram> {
    static constexpr auto list = std::tuple{field("fuse_mount", &ServedByProgram::fuse_mount, kOwn)};
};

template <> struct FieldsOf<MountOp> {
    using F = MountOp;
    static constexpr auto list = std::tuple{field("shows", &F::shows, kAgreedMerged),
                                            field("target", &F::target, kAgreed),
                                            field("flags", &F::flags, kAgreedSet),
                                            field("create_target", &F::create_target, kAgreed),
                                            field("target_is_dir", &F::target_is_dir, kAgreed),
                                            field("required", &F::required, kAgreed),
                                            field("warned_of", &F::warned_of, kAgreed),
                                            field("asked_by", &F::origin, kOwn)};
};

template <> struct FieldsOf<FuseMount> {
    using F = FuseMount;
    static constexpr auto list = std::tuple{field("argv", &F::argv, kOwn), field("inside", &F::inside, kOwn),
                                            field("daemon", &F::daemon, kOwn), field("asked_by", &F::origin, kOwn)};
};

template <> struct FieldsOf<UserFacts> {
    using F = UserFacts;
    static constexpr auto list = std::tuple{field("uid", &F::uid, kOwn),    field("gid", &F::gid, kOwn),
                                            field("name", &F::name, kOwn),  field("gecos", &F::gecos, kOwn),
                                            field("home", &F::home, kOwn),  field("shell", &F::shell, kOwn),
                                            field("known", &F::known, kOwn)};
};
template <> struct FieldsOf<GroupFacts> {
    static constexpr auto list = std::tuple{field("gid", &GroupFacts::gid, kOwn),
                                            field("name", &GroupFacts::name, kOwn)};
};
template <> struct FieldsOf<IdentityPlan> {
    using F = IdentityPlan;
    static constexpr auto list = std::tuple{field("user", &F::user, kOwn), field("home", &F::home, kOwn),
                                            field("groups", &F::groups, kOwn)};
};

template <> struct FieldsOf<IdMap> {
    static constexpr auto list = std::tuple{field("inside", &IdMap::inside, kAgreed),
                                            field("outside", &IdMap::outside, kAgreed),
                                            field("count", &IdMap::count, kAgreed)};
};

// Those that the key of the user namespace is made of are agreed; a tree with others of its own is not shared.
template <> struct FieldsOf<NamespacePlan> {
    using F = NamespacePlan;
    static constexpr auto list = std::tuple{field("user", &F::user, kAgreed),
                                            field("uid_map", &F::uid, kAgreed),
                                            field("gid_map", &F::gid, kAgreed),
                                            field("more_uids", &F::more_uids, kAgreed),
                                            field("more_gids", &F::more_gids, kAgreed),
                                            field("newuidmap", &F::newuidmap, kOwn),
                                            field("newgidmap", &F::newgidmap, kOwn),
                                            field("pid", &F::pid, kOwn),
                                            field("init", &F::init, kOwn),
                                            field("ipc", &F::ipc, kOwn),
                                            field("uts", &F::uts, kOwn),
                                            field("net", &F::net, kOwn),
                                            field("hostname", &F::hostname, kOwn)};
};

template <> struct FieldsOf<Variable> {
    static constexpr auto list = std::tuple{field("name", &Variable::name, kOwn),
                                            field("value", &Variable::value, kOwn),
                                            field("from", &Variable::origin, kOwn)};
};
template <> struct FieldsOf<EnvOverride> {
    static constexpr auto list = std::tuple{field("name", &EnvOverride::name, kOwn),
                                            field("value", &EnvOverride::value, kOwn),
                                            field("asked_by", &EnvOverride::origin, kOwn)};
};
template <> struct FieldsOf<EnvFile> {
    static constexpr auto list = std::tuple{field("path", &EnvFile::path, kOwn), field("text", &EnvFile::text, kOwn),
                                            field("as_stored", &EnvFile::as_stored, kOwn)};
};

template <> struct FieldsOf<StartupPlan> {
    using F = StartupPlan;
    static constexpr auto list = std::tuple{field("forwarded", &F::forwarded, kOwn),
                                            field("overrides", &F::overrides, kOwn),
                                            field("files", &F::files, kOwn),
                                            field("has_env_directory", &F::has_env_directory, kOwn),
                                            field("late", &F::late, kOwn),
                                            field("no_eval", &F::no_eval, kOwn),
                                            field("strict", &F::strict, kOwn),
                                            field("libs_present", &F::libs_present, kOwn),
                                            field("app", &F::app, kOwn),
                                            field("shell", &F::shell, kOwn),
                                            field("script_name", &F::script_name, kOwn),
                                            field("positional", &F::positional, kOwn)};
};

template <> struct FieldsOf<Candidate> {
    using F = Candidate;
    static constexpr auto list = std::tuple{field("test", &F::test, kOwn),
                                            field("path", &F::path, kOwn),
                                            field("argv", &F::argv, kOwn),
                                            field("absolute_argv0", &F::absolute_argv0, kOwn),
                                            field("image_shell", &F::image_shell, kOwn),
                                            field("image_arguments", &F::image_arguments, kOwn),
                                            field("environment", &F::env, kOwn),
                                            field("note", &F::note, kOwn),
                                            field("note_level", &F::note_level, kOwn)};
};
template <> struct FieldsOf<ProgramPlan> {
    using F = ProgramPlan;
    static constexpr auto list = std::tuple{
        field("candidates", &F::candidates, kOwn), field("none_message", &F::none_message, kOwn),
        field("none_level", &F::none_level, kOwn), field("none_status", &F::none_status, kOwn)};
};
template <> struct FieldsOf<CwdCandidate> {
    static constexpr auto list = std::tuple{field("path", &CwdCandidate::path, kOwn),
                                            field("required", &CwdCandidate::required, kOwn)};
};

template <> struct FieldsOf<ProcessPlan> {
    using F = ProcessPlan;
    static constexpr auto list = std::tuple{
        field("program", &F::program, kOwn),           field("directories", &F::directories, kOwn),
        field("environment", &F::environment, kOwn),   field("startup", &F::startup, kOwn),
        field("host_bash", &F::host_bash, kOwn),       field("umask", &F::umask, kOwnMode),
        field("no_new_privs", &F::no_new_privs, kOwn), field("drop_capabilities", &F::drop_capabilities, kOwn),
        field("capabilities", &F::capabilities, kOwn)};
};

template <> struct FieldsOf<Note> {
    static constexpr auto list = std::tuple{field("level", &Note::level, kOwn), field("text", &Note::text, kOwn)};
};

template <> struct FieldsOf<GroupSetting> {
    using F = GroupSetting;
    static constexpr auto list = std::tuple{field("file", &F::file, kOwn), field("value", &F::value, kOwn),
                                            field("other_file", &F::other_file, kOwn),
                                            field("other_value", &F::other_value, kOwn)};
};
template <> struct FieldsOf<LimitPlan> {
    using F = LimitPlan;
    static constexpr auto list = std::tuple{field("settings", &F::settings, kOwn),
                                            field("wanted_for_numbers", &F::wanted_for_numbers, kOwn),
                                            field("asked_by", &F::origin, kOwn)};
};

template <> struct FieldsOf<SharePlan> {
    using F = SharePlan;
    static constexpr auto list = std::tuple{
        field("wanted", &F::wanted, kOwn),         field("because", &F::why, kOwn),
        field("scope", &F::scope, kOwn),           field("user_namespace_key", &F::user_key, kOwn),
        field("tree_key", &F::tree_key, kOwn),     field("tree_is_own", &F::tree_why, kOwn),
        field("linger_seconds", &F::linger, kOwn), field("patience_seconds", &F::patience, kOwn),
        field("set_if_alone", &F::unshared, kOwn), field("said_if_alone", &F::unshared_notes, kOwn)};
};

template <> struct FieldsOf<LaunchPlan> {
    using F = LaunchPlan;
    static constexpr auto list = std::tuple{field("namespaces", &F::namespaces, kAgreed),
                                            field("identity", &F::identity, kOwn),
                                            field("image_mounts", &F::image_mounts, kAgreed),
                                            field("root", &F::root, kAgreed),
                                            field("mounts", &F::mounts, kAgreed),
                                            field("fuse_mounts", &F::fuse_mounts, kOwn),
                                            field("process", &F::process, kOwn),
                                            field("limits", &F::limits, kOwn),
                                            field("share", &F::share, kOwn),
                                            field("notes", &F::notes, kOwn)};
};

}  // namespace swrun
