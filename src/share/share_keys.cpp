#include "share/share_keys.h"

#include <algorithm>
#include <string_view>

#include "plan/plan_fields.h"
#include "support/fingerprint.h"
#include "support/path.h"
#include "support/proc_text.h"
#include "support/text.h"

namespace swrun {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

// Raised with every change of what sharers of different versions would have to agree on.
constexpr std::uint64_t kProtocol = 2;

constexpr std::uint32_t kUnpackPatience = 900;  // seconds

const std::string* find(const Environment& environment, std::string_view name) {
    for (const auto& [key, value] : environment) {
        if (key == name) return &value;
    }
    return nullptr;
}

// Slurm gives its own steps, the batch script among them, the numbers from here on (slurm.h, SLURM_MAX_NORMAL_STEP_ID).
constexpr std::uint64_t kSlurmReserved = 0xfffffff0;

bool is_slurm_rank(const Environment& environment) {
    const std::string* step = find(environment, "SLURM_STEP_ID");
    const std::string* tasks = find(environment, "SLURM_STEP_NUM_TASKS");
    if (step == nullptr || tasks == nullptr || find(environment, "SLURM_PROCID") == nullptr) return false;
    return parse_decimal(*step).value_or(kSlurmReserved) < kSlurmReserved && parse_decimal(*tasks).value_or(1) > 1;
}

// The group of a batch system's step, without the part of a single task; empty where there is none.
// Slurm: .../job_J/step_S/user/task_T (version 2), /slurm/uid_U/job_J/step_S/task_T (version 1).
std::string batch_group(const std::string& text) {
    for (const GroupLine& line : group_lines(text)) {
        if (!line.is_unified() && line.controllers != "freezer" && line.controllers != "name=systemd") continue;
        if (line.path.find("/job_") == std::string_view::npos) continue;
        const std::size_t last = line.path.rfind('/');
        return std::string(line.path.substr(last).starts_with("/task_") ? line.path.substr(0, last) : line.path);
    }
    return "";
}

// Takes in what launches with one tree agree in (plan/plan_fields).
class KeyMaker {
public:
    explicit KeyMaker(const TreeView& host) : host_(host) {}

    template <class T> KeyMaker& add(const T& value) {
        if constexpr (Listed<T>) {
            each_field(value,
                       [this]<class Owner, class Value, class Note>(const Field<Owner, Value, Note>&, const Value& of) {
                           if constexpr (Note::agree != Agree::no) add(of);
                           if constexpr (Note::agree == Agree::place) add_place(of);
                           if constexpr (Note::agree == Agree::made) add_place(std::string(parent_path(of)));
                       });
        } else if constexpr (std::is_convertible_v<T, std::string_view>) {
            key_.add(std::string_view(value));
        } else {
            key_.add(static_cast<std::uint64_t>(value));
        }
        return *this;
    }
    template <class T> KeyMaker& add(const std::vector<T>& items) {
        key_.add(items.size());
        for (const T& item : items) add(item);
        return *this;
    }
    template <class... Alternatives> KeyMaker& add(const std::variant<Alternatives...>& value) {
        key_.add(value.index());
        std::visit([this](const auto& one) { add(one); }, value);
        return *this;
    }

    [[nodiscard]] std::string hex() const { return key_.hex(); }

private:
    // A directory that was replaced is another one, though its path is the same.
    void add_place(const std::string& path) {
        const Node node = resolve_in(host_, path).node;
        key_.add(node.device).add(node.inode);
    }

    const TreeView& host_;
    Fingerprint key_;
};

std::string user_key(const LaunchPlan& plan, const HostFacts& host, const TreeView& tree, const std::string& scope) {
    KeyMaker key(tree);
    key.add(kProtocol).add(scope).add(host.user.uid).add(host.user.gid);
    // All but the mount namespace: one who has another view of the files is no stranger for that.
    for (std::size_t i = 0; i + 1 < kSharedKinds; ++i) key.add(host.share.namespaces[i]);
    return key.add(plan.namespaces).hex();
}

std::string tree_key(const LaunchPlan& plan, const HostFacts& host, const TreeView& tree, const std::string& user) {
    KeyMaker key(tree);
    key.add(user).add(host.share.namespaces.back()).add(host.share.root_device).add(host.share.root_inode);
    return key.add(plan).hex();
}

// Why the tree cannot have a second user; empty when it can.
std::string own_tree(const LaunchPlan& plan, bool asked, std::uint32_t linger) {
    const NamespacePlan& names = plan.namespaces;
    if (names.pid || names.ipc || names.uts || names.net) return "namespaces of its own are asked for";
    if (plan.writes_image()) return "an image is written to";
    if (plan.root.upper_is_tmpfs() && !asked)
        return "--writable-tmpfs is of one launch unless --share=always says otherwise";
    if (std::holds_alternative<DirectoryUpper>(plan.root.upper) && linger > 0)
        return "an overlay has to be free when the program ends";
    if (!plan.fuse_mounts.empty()) return "--fusemount serves this launch only";
    if (!plan.root.overlay_driver.empty()) return "the layers are stacked by a driver";
    if (!plan.limits.settings.empty()) return "its limits are its own";
    return "";
}

bool selects_cma(std::string_view transports) {
    const bool named = transports.find("cma") != std::string_view::npos;
    return transports.starts_with('^') ? !named : named || transports.find("all") != std::string_view::npos;
}

// MPI libraries that read each other's memory across user namespaces hang or abort; these keep them from trying.
// Open MPI issue 4948; UCX pull request 9213; mpich pull request 7654; fi_shm(7); the MVAPICH2 user guide.
void fill_unshared(SharePlan& share, const HostFacts& host) {
    const auto set = [&](const char* name, const char* value) {
        if (find(host.environment, name) != nullptr) return;
        share.unshared.push_back({name, value, "built-in: no shared user namespace"});
    };
    set("OMPI_MCA_btl_vader_single_copy_mechanism", "none");
    set("MPIR_CVAR_CH4_CMA_ENABLE", "0");
    set("FI_SHM_DISABLE_CMA", "1");
    set("MV2_SMP_USE_CMA", "0");
    // One of the two alone only moves UCX's crash to the first large message.
    set("UCX_TLS", "^cma");
    set("UCX_POSIX_USE_PROC_LINK", "n");
    const std::string* transports = find(host.environment, "UCX_TLS");
    if (transports != nullptr && selects_cma(*transports)) {
        share.unshared_notes.push_back(
            {Level::warning, "UCX_TLS=" + printable(*transports) +
                                 " may select cma, which fails between ranks that share no user namespace"});
    }
}

}  // namespace

std::string rank_variable(const Environment& environment) {
    for (const char* name : {"PMI_RANK", "PMI_FD", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PALS_RANKID",
                             "MPI_LOCALRANKID", "FLUX_TASK_RANK"}) {
        if (find(environment, name) != nullptr) return name;
    }
    return is_slurm_rank(environment) ? "SLURM_PROCID" : "";
}

std::string share_scope(const ShareFacts& facts, const Environment& environment) {
    if (std::string group = batch_group(facts.cgroup); !group.empty()) return "control group " + group;
    const std::string* job = find(environment, "SLURM_JOB_ID");
    const std::string* step = find(environment, "SLURM_STEP_ID");
    if (job != nullptr && step != nullptr) return "Slurm step " + *job + "." + *step;
    for (const char* name : {"PMIX_NAMESPACE", "PMI_JOBID", "OMPI_MCA_ess_base_jobid", "FLUX_JOB_ID", "PBS_JOBID",
                             "LSB_JOBID", "SLURM_JOB_ID"}) {
        if (const std::string* value = find(environment, name)) return std::string(name) + " " + *value;
    }
    // Hydra gives each rank a session of its own and the job no name.
    if (!facts.launcher.empty()) return "ranks of " + facts.launcher;
    return "session " + std::to_string(facts.session);
}

SharePlan plan_sharing(const Asked<ShareMode>& mode, std::uint32_t linger, const LaunchPlan& plan,
                       const HostFacts& host, const TreeView& host_tree) {
    SharePlan share;
    const std::string rank = rank_variable(host.environment);
    if (!rank.empty() && plan.namespaces.user) fill_unshared(share, host);
    if (mode.value == ShareMode::never) {
        share.why = to_text(mode.origin);
    } else if (!plan.namespaces.user) {
        share.why = "no user namespace is made";
    } else if (mode.value == ShareMode::automatic && rank.empty() && linger == 0) {
        share.why = "not one of several ranks";
    } else if (!host.share.known) {
        share.why = "/proc does not tell with whom";
    } else {
        share.wanted = true;
        share.why = mode.value == ShareMode::always ? to_text(mode.origin) : rank.empty() ? "it is to linger" : rank;
    }
    if (!share.wanted) return share;
    share.linger = linger;
    for (const ImageMount& mount : plan.image_mounts) {
        if (mount.unpacked() != nullptr) share.patience = kUnpackPatience;
    }
    share.scope = share_scope(host.share, host.environment);
    share.user_key = user_key(plan, host, host_tree, share.scope);
    share.tree_why = own_tree(plan, mode.value == ShareMode::always, linger);
    if (share.tree_why.empty()) share.tree_key = tree_key(plan, host, host_tree, share.user_key);
    return share;
}

}  // namespace swrun
