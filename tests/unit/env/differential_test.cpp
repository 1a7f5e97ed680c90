// The same image by shell_lite and by every shell of this machine must give the same environment.  The
// corpus files stand one by one between a fixed set of neighbours.  Runs as any user; needs no image.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include "env/startup.h"
#include "env/startup_script.h"
#include "source_dir.h"
#include "support/fake_tree.h"
#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;
using Map = std::map<std::string, std::string>;

Map map_of(const std::vector<Variable>& list) {
    Map map;
    for (const Variable& variable : list) map[variable.name] = variable.value;
    return map;
}

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

struct Shell {
    const char* name;
    std::vector<std::string> argv;
};

// The shells that this machine has.
std::vector<Shell> shells() {
    std::vector<Shell> found;
    const auto add = [&](const char* name, const char* program, std::vector<std::string> more) {
        for (const std::string_view directory : {"/bin/", "/usr/bin/", "/usr/local/bin/"}) {
            const std::string path = std::string(directory) + program;
            if (::access(path.c_str(), X_OK) != 0) continue;
            more.insert(more.begin(), path);
            found.push_back({name, more});
            return;
        }
    };
    add("bash", "bash", {"--norc", "--noprofile"});
    add("bash-posix", "bash", {"--norc", "--noprofile", "--posix"});
    add("dash", "dash", {});
    add("ash", "busybox", {"ash"});
    return found;
}

struct Outcome {
    StartupResult result;
    std::string trouble;
    std::string errors;
};

// One image in a temporary directory, and the ways to start it.
class Differential : public testing::Test {
protected:
    Differential() {
        std::string pattern = (fs::temp_directory_path() / "swrun-env-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        put("/opt/tool/env.sh", "export SOURCED=${SOURCED:-}yes\nreturn 4\nexport NOT=reached\n");
        link("/opt/current", "tool");
        link("/opt/broken", "nowhere");
        plan.has_env_directory = true;
        for (const auto& [name, value] : Map{{"HOME", "/home/u"},
                                             {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                                             {"APPTAINER_NAME", "i.sif"},
                                             {"CALLER_A", "a b\n'\"c"},
                                             {"CALLER_B", "b"},
                                             {"CALLER_C", ""},
                                             {"TERM", "xterm"},
                                             {"HOSTNAME", "host"},
                                             {"OPTIND", "1"},
                                             {"OLDPWD", "/old"},
                                             {"UID", "4"}}) {
            plan.forwarded.push_back({name, value, "caller"});
        }
        plan.positional = {"cmd", "two words", "*"};
    }
    ~Differential() override {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    Differential(const Differential&) = delete;
    Differential& operator=(const Differential&) = delete;

    void put(const std::string& path, const std::string& text) {
        fs::create_directories(fs::path(root_ + path).parent_path());
        std::ofstream(root_ + path, std::ios::binary) << text;
        tree.file(root_ + path, text);
    }
    void link(const std::string& path, const std::string& target) {
        fs::create_symlink(target, root_ + path);
        tree.link(root_ + path, target);
    }
    void file(const std::string& name, std::string text) {
        replace_all(text, "@ROOT@", root_);
        const std::string path = "/.singularity.d/env/" + name;
        put(path, text);
        plan.files.push_back({path, text});
    }
    void override_with(const std::string& name, const std::string& value) {
        plan.overrides.push_back({name, value, {}});
    }

    // Runs the script once; gives what arrived on descriptor 9.
    std::string run_script(const Shell& shell, const std::string& script, Outcome& outcome) {
        const std::string base = root_ + "/run";
        std::ofstream(base + ".sh", std::ios::binary) << script;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, (base + ".out").c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, 2, (base + ".err").c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, 9, (base + ".state").c_str(), flags, 0600);
        std::vector<std::string> words = shell.argv;
        words.push_back(base + ".sh");
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        char* nothing[] = {nullptr};
        pid_t pid = 0;
        EXPECT_EQ(::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), nothing), 0);
        posix_spawn_file_actions_destroy(&actions);
        int status = 0;
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        outcome.result.output += slurp(base + ".out");
        outcome.errors += slurp(base + ".err");
        return slurp(base + ".state");
    }

    Outcome run_in(const Shell& shell) {
        Outcome outcome;
        ScriptRun run;
        run.working_directory = "/work";
        run.root_prefix = root_;
        while (true) {
            const Result<ShellReport> report = parse_shell_state(run_script(shell, startup_script(plan, run), outcome));
            if (!report) {
                outcome.trouble = report.error().message;
                return outcome;
            }
            if (report->complete) {
                const std::string output = std::move(outcome.result.output);
                outcome.result = finish_startup(plan, report->state, "/work");
                outcome.result.output = output;
                return outcome;
            }
            if (report->status != 0) {
                outcome.result.kind = StartupResult::Kind::ended;
                outcome.result.exit_status = report->status;
                return outcome;
            }
            run.first_step = report->step + 1;
            run.state = report->state;
        }
    }

    StartupResult lite() { return evaluate_startup(plan, "/work", tree); }

    void expect_same(const Shell& shell, const StartupResult& expected) {
        const Outcome outcome = run_in(shell);
        ASSERT_EQ(outcome.trouble, "") << outcome.errors;
        EXPECT_EQ(outcome.result.kind, expected.kind) << outcome.errors;
        EXPECT_EQ(outcome.result.exit_status, expected.exit_status);
        EXPECT_EQ(map_of(outcome.result.environment), map_of(expected.environment)) << outcome.errors;
        EXPECT_EQ(outcome.result.output, expected.output);
        const mode_t mine = ::umask(022);
        ::umask(mine);
        if (expected.kind == StartupResult::Kind::ready) {
            EXPECT_EQ(outcome.result.umask, std::optional<mode_t>(expected.umask.value_or(mine)));
        }
    }

    StartupPlan plan;
    FakeTree tree;
    std::string root_;
};

TEST_F(Differential, FindsAShell) {
    ASSERT_FALSE(shells().empty()) << "neither bash nor dash nor busybox is installed";
}

TEST_F(Differential, Corpus) {
    const fs::path corpus = fs::path(SWRUN_SOURCE_DIR) / "tests/unit/env/corpus";
    std::size_t compared = 0;
    for (const auto& entry : fs::directory_iterator(corpus)) {
        if (entry.path().extension() != ".sh") continue;
        const std::string text = slurp(entry.path());
        const std::string name = entry.path().filename().string();
        plan.files.clear();
        plan.overrides.clear();
        override_with("PREPEND_PATH", "/pre");
        override_with("V", "$PATH|${NOPE:-none}|\"q\"|\\$x");
        file(name, text);
        if (name != "99-base.sh") file("99-base.sh", slurp(corpus / "99-base.sh"));
        file("99-zlast.sh", "export LAST=\"$V$#\"\n");
        const StartupResult expected = lite();
        if (text.find("# lite: yes") != std::string::npos) {
            EXPECT_NE(expected.kind, StartupResult::Kind::needs_shell) << name << ": " << expected.reason;
        } else if (text.find("# lite: no") != std::string::npos) {
            EXPECT_EQ(expected.kind, StartupResult::Kind::needs_shell) << name;
        }
        if (expected.kind == StartupResult::Kind::needs_shell) continue;
        for (const Shell& shell : shells()) {
            if (text.find("# shells: bash") != std::string::npos && std::string_view(shell.name) != "bash") continue;
            SCOPED_TRACE(name + " in " + shell.name);
            expect_same(shell, expected);
            ++compared;
        }
    }
    EXPECT_GE(compared, 10U);
}

TEST_F(Differential, WholeImageAndNoEval) {
    const fs::path corpus = fs::path(SWRUN_SOURCE_DIR) / "tests/unit/env/corpus";
    for (const char* name :
         {"10-docker2singularity.sh", "90-plain.sh", "95-apps.sh", "99-base.sh", "99-runtimevars.sh"}) {
        file(name, slurp(corpus / name));
    }
    const std::string odd = "$FOO`echo x`$(id)\\\"'it's\n!";
    for (const bool no_eval : {false, true}) {
        plan.no_eval = no_eval;
        plan.overrides.clear();
        override_with("ODD", no_eval ? odd : "$(echo sub) `echo back` \"$FOO\" it's \\\\ end\\");
        override_with("PATH", no_eval ? "/x" : "/x:$PATH");
        override_with("APPEND_LD_LIBRARY_PATH", "/a");
        override_with("APPTAINER_NAME", "forced");
        const StartupResult expected = lite();
        ASSERT_EQ(expected.kind, StartupResult::Kind::ready) << expected.reason;
        for (const Shell& shell : shells()) {
            SCOPED_TRACE(shell.name);
            expect_same(shell, expected);
        }
    }
}

TEST_F(Differential, ExitInTheMiddleKeepsTheState) {
    file("10-docker.sh", "PATH=/d:/bin\nCALLER_B=unexported\nexport A='a\nb'\numask 077\nexit 0\n");
    file("90-environment.sh", "export SEEN=\"$A$CALLER_C\"\nexit 0\n");
    file("99-base.sh", "export BASE=$PATH\nexit\n");
    override_with("V", "$SEEN");
    const StartupResult expected = lite();
    ASSERT_EQ(expected.kind, StartupResult::Kind::ready) << expected.reason;
    EXPECT_EQ(expected.notes.size(), 3U);
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        expect_same(shell, expected);
    }
}

TEST_F(Differential, WithoutEnvDirectory) {
    plan.has_env_directory = false;
    put("/environment", "export OLD=1\nPATH=/q:$PATH\n");
    plan.files = {{"/environment", "export OLD=1\nPATH=/q:$PATH\n"}};
    override_with("V", "$OLD$PATH");
    for (const Shell& shell : shells()) expect_same(shell, lite());
    plan.files.clear();
    for (const Shell& shell : shells()) expect_same(shell, lite());
}

// What only a real shell can do: the rules around it must hold in each.
class RealShell : public Differential {
protected:
    Map environment(const Shell& shell) {
        last = run_in(shell);
        EXPECT_EQ(last.trouble, "") << shell.name << last.errors;
        return map_of(last.result.environment);
    }
    static std::string at(const Map& env, const std::string& name) {
        const auto found = env.find(name);
        return found == env.end() ? "(unset)" : found->second;
    }
    Outcome last;
};

TEST_F(RealShell, FailuresDoNotStopTheRest) {
    const fs::path corpus = fs::path(SWRUN_SOURCE_DIR) / "tests/unit/env/corpus";
    file("90-failing.sh", slurp(corpus / "90-failing.sh"));
    file("90-syntax.sh", "export HALF=1\nif then\nfi\n");
    file("91-next.sh", "export NEXT=$BEFORE$AFTER\n");
    override_with("BAD", "$(echo");
    override_with("GOOD", "`printf %s \"$NEXT\"`");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        const Map env = environment(shell);
        EXPECT_EQ(at(env, "NEXT"), "12") << last.errors;
        EXPECT_EQ(at(env, "GOOD"), "12") << last.errors;
        EXPECT_FALSE(env.contains("HALF"));
        EXPECT_FALSE(env.contains("BAD"));
        EXPECT_NE(last.errors.find("90-syntax.sh of the image has a syntax error"), std::string::npos) << last.errors;
    }
}

TEST_F(RealShell, ErrexitEndsTheLaunch) {
    file("90-errexit.sh", "set -e\nfalse || true\nif false; then :; fi\nexport A=1\n(exit 3)\nexport B=1\n");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        environment(shell);
        EXPECT_EQ(last.result.kind, StartupResult::Kind::ended);
        EXPECT_EQ(last.result.exit_status, 3);
    }
    plan.files.clear();
    file("90-errexit.sh", "set -eu\nexport A=1\n");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        EXPECT_EQ(at(environment(shell), "A"), "1");
    }
}

TEST_F(RealShell, OptionsAndFunctionsOfTheImageDoNotDisturb) {
    const fs::path corpus = fs::path(SWRUN_SOURCE_DIR) / "tests/unit/env/corpus";
    for (const char* name : {"90-options.sh", "90-allexport.sh"}) file(name, slurp(corpus / name));
    file("99-base.sh", slurp(corpus / "99-base.sh"));
    override_with("V", "$OPTIONS-$ALLEXPORTED");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        const Map env = environment(shell);
        EXPECT_EQ(at(env, "OPTIONS"), "1") << last.errors;
        EXPECT_EQ(at(env, "V"), "1-x y") << last.errors;
        EXPECT_EQ(at(env, "CALLER_A"), "a b\n'\"c") << last.errors;
        EXPECT_EQ(last.result.output, "");
        for (const auto& [name, value] : env) EXPECT_FALSE(name.starts_with("__swrun")) << name;
    }
}

TEST_F(RealShell, ExitAfterRealCommands) {
    file("90-a.sh", "A=$(printf x); export A\nX=$((1 + 2)); export X\numask 007\nexit 0\nexport NOT=1\n");
    file("10-docker.sh", "eval 'export PATH=/d'\nexit\n");
    std::swap(plan.files[0], plan.files[1]);
    file("99-base.sh", "export B=$A$X\n");
    file("99-late.sh", "eval exit 9\n");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        environment(shell);
        EXPECT_EQ(last.result.exit_status, 9);
    }
    plan.files.pop_back();
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        const Map env = environment(shell);
        EXPECT_EQ(at(env, "B"), "x3") << last.errors;
        EXPECT_EQ(at(env, "PATH"), "/d:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") << last.errors;
        EXPECT_FALSE(env.contains("NOT"));
        EXPECT_EQ(last.result.umask, std::optional<mode_t>(007));
    }
}

TEST_F(RealShell, BashRunsBash) {
    file("90-environment.sh", slurp(fs::path(SWRUN_SOURCE_DIR) / "tests/unit/env/corpus/90-bashisms.sh"));
    for (const Shell& shell : shells()) {
        if (std::string_view(shell.name) != "bash") continue;
        const Map env = environment(shell);
        EXPECT_EQ(last.errors, "");
        for (const auto& [name, value] : Map{{"ARR_COUNT", "3"},
                                             {"ARR_SECOND", "two words"},
                                             {"MAPK", "v"},
                                             {"REPL", "a+b+c"},
                                             {"UPPER", "A-B-C"},
                                             {"SUB", "b"},
                                             {"MATCHED", "b"},
                                             {"CONDA", "ok"},
                                             {"REST", "beta gamma"},
                                             {"SPECIAL", "tab\there\001"},
                                             {"EXT", "1"},
                                             {"PWD", "/work"},
                                             {"OLDPWD", "/old"}}) {
            EXPECT_EQ(at(env, name), value) << name;
        }
        for (const char* name : {"arr", "hidden", "map"}) EXPECT_FALSE(env.contains(name)) << name;
        EXPECT_TRUE(at(env, "PATH").starts_with("/opt/first:/usr/local/sbin:")) << at(env, "PATH");
    }
}

TEST_F(RealShell, LibraryRule) {
    file("99-base.sh", "eval 'export LD_LIBRARY_PATH=/.singularity.d/libs'\n");
    file("99-late.sh", "export SEEN=$LD_LIBRARY_PATH\n");
    plan.libs_present = true;
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        ScriptRun run;
        run.root_prefix = root_;
        run.library_directories = {"/lib/a b", "/lib"};
        Outcome outcome;
        const Result<ShellReport> report = parse_shell_state(run_script(shell, startup_script(plan, run), outcome));
        ASSERT_TRUE(report) << outcome.errors;
        EXPECT_EQ(report->state.exported.at("SEEN").value, "/lib/a b:/lib:/.singularity.d/libs");
    }
}

TEST_F(RealShell, ReplacedTrapIsNoticed) {
    file("90-trap.sh", "trap : EXIT\nexit 0\n");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        EXPECT_NE(run_in(shell).trouble.find("without a report"), std::string::npos);
    }
}

}  // namespace
}  // namespace swrun
