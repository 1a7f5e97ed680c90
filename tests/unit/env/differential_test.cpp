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

    [[nodiscard]] bool is_bash() const { return std::string_view(name).starts_with("bash"); }
    // The words that read a file and run nothing of it.
    [[nodiscard]] std::vector<std::string> check() const {
        std::vector<std::string> words = argv;
        if (is_bash()) words.insert(words.end(), {"-O", "extglob"});
        words.emplace_back("-n");
        return words;
    }
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
        plan.script_name = "/.singularity.d/actions/exec";
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
        plan.files.push_back(read_env_file(path, text));
    }
    void override_with(const std::string& name, const std::string& value) {
        plan.overrides.push_back({name, value, {}});
    }

    // Runs the script once; gives what arrived on descriptor 9.
    std::string run_script(const Shell& shell, const std::string& script, Outcome& outcome) {
        const std::string base = root_ + "/run";
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, (base + ".out").c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, 2, (base + ".err").c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, 9, (base + ".state").c_str(), flags, 0600);
        std::vector<std::string> words = shell.argv;
        words.insert(words.end(), {"-c", script, plan.script_name});
        words.insert(words.end(), plan.positional.begin(), plan.positional.end());
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
        run.check = shell.check();
        for (std::size_t i = 0; copies && i < plan.files.size(); ++i) {
            if (plan.files[i].as_stored) continue;
            run.copies[i] = root_ + "/copy" + std::to_string(i);
            std::ofstream(run.copies[i], std::ios::binary) << plan.files[i].text;
        }
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
            if (report->step < run.first_step) {
                outcome.trouble = "the step " + std::to_string(report->step) + " ended twice";
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
        EXPECT_EQ(outcome.result.shell, expected.shell);
        EXPECT_EQ(outcome.result.arguments, expected.arguments);
        const mode_t mine = ::umask(022);
        ::umask(mine);
        if (expected.kind == StartupResult::Kind::ready) {
            EXPECT_EQ(outcome.result.umask, std::optional<mode_t>(expected.umask.value_or(mine)));
        }
    }

    // One file, by shell_lite and by the shells: of all, or of those that are a bash.
    void expect_alike(const std::string& text, bool bash_only = false) {
        SCOPED_TRACE(text);
        plan.files.clear();
        file("90-environment.sh", text);
        const StartupResult expected = lite();
        ASSERT_NE(expected.kind, StartupResult::Kind::needs_shell) << expected.reason;
        for (const Shell& shell : shells()) {
            if (bash_only && !shell.is_bash()) continue;
            SCOPED_TRACE(shell.name);
            expect_same(shell, expected);
        }
    }

    StartupPlan plan;
    FakeTree tree;
    std::string root_;
    bool copies = true;  // files that are not read as stored are given by a path of their own
};

std::string with_crlf(std::string text) {
    replace_all(text, "\n", "\r\n");
    return text;
}

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

// The same as with LF, whoever reads it, and whether the shell gets the text by a path or quoted.
TEST_F(Differential, CarriageReturnsBeforeLineEndsDoNotCount) {
    const std::string texts[] = {
        "export A=1\nexport B=\"x y\"\n",
        "export A=1\n\nexport PATH=/opt/q/bin:$PATH\n",
        "if [ -d /nothing ]; then\n  export C=1\nelse\n  export C=2\nfi\n",
        "export B=$(echo hi)\nexport D=`echo a\necho b`\n",
        "case \"$HOME\" in\n/home/*) export E=1 ;;\nesac\n# comment\nfor i in a b\ndo\nF=$F$i\ndone\nexport F\n",
        "export G=a\\\nb \\\n  H=\"c\\\nd\"\n",
        "export I='line one\nline two'\nset -- a b\nexport J=$2",
        ". @ROOT@/opt/tool/env.sh\nexport K=$?\n",
    };
    for (const bool by_path : {true, false}) {
        copies = by_path;
        for (const std::string& text : texts) {
            plan.files.clear();
            file("90-environment.sh", text);
            const Map wanted = map_of(lite().environment);
            expect_alike(with_crlf(text));
            EXPECT_EQ(map_of(lite().environment), wanted) << text;
            expect_alike(with_crlf(text) + "export LAST=1\r");
            EXPECT_EQ(map_of(lite().environment)["LAST"], "1");
        }
    }
}

TEST_F(Differential, ByteZeroDoesNotCount) {
    constexpr char kText[] = "export A=x\0y\nexport B='\0'\n";
    expect_alike(std::string(kText, sizeof kText - 1));
    EXPECT_EQ(map_of(lite().environment)["A"], "xy");
}

TEST_F(Differential, TheActionNamesTheScript) {
    for (const char* action : {"exec", "run", "shell", "test", "start"}) {
        plan.script_name = std::string("/.singularity.d/actions/") + action;
        expect_alike("export A=\"${0##*/}\" B=$0\nif [ \"${0##*/}\" = shell ]; then export C=yes; fi\n");
        const Map env = map_of(lite().environment);
        EXPECT_EQ(env.at("A"), action);
        EXPECT_EQ(env.contains("C"), std::string_view(action) == "shell");
    }
}

TEST_F(Differential, ArgumentsOfTheImage) {
    const std::pair<std::string, std::vector<std::string>> cases[] = {
        {"set -- -c 'echo \"a b\"'", {"-c", "echo \"a b\""}},
        {"set a '' '*'", {"a", "", "*"}},
        {"set --", {}},
        {"shift", {"two words", "*"}},
        {"shift 3\nset -- \"$@\" x", {"x"}},
        {"set -- -x \"$@\"\nshift 2", {"two words", "*"}},
        {"set -u -- \"$2\"", {"two words"}},
        {"set -- 'a\nb' \"'\"\nexport N=$# L=\"$1\"\nexit 0", {"a\nb", "'"}},
    };
    for (const auto& [text, wanted] : cases) {
        expect_alike(text + "\n");
        EXPECT_EQ(lite().arguments, wanted) << text;
    }
    for (const char* text : {"set", "set -e", "set -eu", "set -o nounset", "set -", "set +", "shift 4", "shift x",
                             ". /opt/tool/env.sh a"}) {
        plan.files.clear();
        file("90-environment.sh", text);
        EXPECT_EQ(lite().kind, StartupResult::Kind::needs_shell) << text;
    }
}

TEST_F(Differential, TheShellThatTheImageNames) {
    const std::pair<const char*, const char*> cases[] = {
        {"export SINGULARITY_SHELL=/opt/mysh", "/opt/mysh"},
        {"SINGULARITY_SHELL=/opt/mysh", "/opt/mysh"},
        {"export APPTAINER_SHELL=/opt/other", "/opt/other"},
        {"export APPTAINER_SHELL=/opt/other SINGULARITY_SHELL=/opt/mysh", "/opt/mysh"},
        {"export APPTAINER_SHELL=/opt/other SINGULARITY_SHELL=", "/opt/other"},
        {"if [ \"${0##*/}\" = exec ]; then SINGULARITY_SHELL=sh; fi", "sh"},
        {"export A=1", ""},
    };
    for (const auto& [text, wanted] : cases) {
        expect_alike(std::string(text) + "\n");
        EXPECT_EQ(lite().shell, wanted) << text;
    }
}

TEST_F(Differential, UnsetVariablesEndTheLaunch) {
    const char* const ending[] = {
        "set -u\nexport A=1\nexport B=$NOPE\necho not reached",
        "set -u\n: \"${NOPE%x}\"",
        "set -u\n: ${#NOPE}",
        "set -u\nfor i in $NOPE; do :; done",
        "set -u\ncase $NOPE in *) ;; esac",
        "set -u\nif [ -n \"$NOPE\" ]; then :; fi",
        "set -u\n{ true && echo $4; } || true",
        "set -u\nset --\necho $1",
    };
    for (const char* text : ending) {
        expect_alike(text);
        const StartupResult result = lite();
        EXPECT_EQ(result.kind, StartupResult::Kind::ended) << text;
        EXPECT_EQ(result.exit_status, 1) << text;
        ASSERT_EQ(result.notes.size(), 1U);
        EXPECT_TRUE(result.notes[0].text.ends_with("unbound variable")) << result.notes[0].text;
    }
    for (const char* text : {"set -u\nexport A=${NOPE-a}${NOPE:+b}${NOPE:=c} B=\"$@$*$#\"",
                             "set -u\nset +u\nexport A=\"[$NOPE]\"", "set -u\nset --\nexport A=\"$*\" B=$#"}) {
        expect_alike(text);
        EXPECT_EQ(lite().kind, StartupResult::Kind::ready) << text;
    }
    // A substitution ends alone.  (ash goes on in it with the rest of the script, as long as it is let.)
    expect_alike("set -u\nexport A=\"x$(echo $NOPE)y\" B=`echo \"${NOPE#x}\"`\n", true);
    EXPECT_EQ(lite().kind, StartupResult::Kind::ready);
    plan.files.clear();
    file("90-environment.sh", "set -u\n");
    file("99-base.sh", "\n\nexport A=$NOPE\n");
    EXPECT_EQ(lite().exit_status, 1);
    EXPECT_EQ(lite().notes.at(0).text, "/.singularity.d/env/99-base.sh:3: NOPE: unbound variable");
    for (const Shell& shell : shells()) expect_same(shell, lite());
    plan.files.pop_back();
    override_with("V", "${NOPE}");
    EXPECT_EQ(lite().exit_status, 1);
    for (const Shell& shell : shells()) expect_same(shell, lite());
}

TEST_F(Differential, AnsiQuotes) {
    for (const char* text : {"export A=$'a\\tb\\n' B=$'\\x41\\101\\e[0m' C=$'it\\'s \\\"q\\\" \\\\'",
                             "export A=$'\\u00e4' B=$'\\u20ac1' C=$'\\U0001F600' D=x$'\\u41'y",
                             "# it's\nexport A='a$'\\u B=\"$'\\u00e4'\"\nexport C=$'\\xc3\\xa4'",
                             "for i in $'a b' c; do A=\"$A<$i>\"; done; export A"}) {
        expect_alike(text, true);
    }
    plan.files.clear();
    file("90-environment.sh", "export A=$'\\u00e4\\u20ac\\U0001F600'\n");
    EXPECT_EQ(map_of(lite().environment).at("A"), "\u00e4\u20ac\U0001F600");
    for (const char* text : {"X=$'\\c?'", "X=$'a\\0b'", "X=$'\\x00'", "X=$'\\ud800'", "X=$'\\U00110000'",
                             "X=$'\\x{41}'", "X=$'open", "X=$'\\q'", "X=$'\\777'"}) {
        plan.files.clear();
        file("90-environment.sh", text);
        EXPECT_EQ(lite().kind, StartupResult::Kind::needs_shell) << text;
    }
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

TEST_F(RealShell, ReadsForeignLineEndsAndUnicode) {
    for (const bool by_path : {true, false}) {
        copies = by_path;
        plan.files.clear();
        file("90-environment.sh",
             with_crlf("arr=(a $'\\u00e4')\nexport A=\"${arr[1]}\"\nB=$(cat <<E\none\ntwo\nE\n)\nexport B\n"
                       "[[ $0 == */exec ]] && export C=$'\\U0001F600'\nf() {\n export D=$1\n}\nf d\n"));
        for (const Shell& shell : shells()) {
            if (!shell.is_bash()) continue;
            const Map env = environment(shell);
            EXPECT_EQ(at(env, "A"), "\u00e4") << last.errors;
            EXPECT_EQ(at(env, "B"), "one\ntwo");
            EXPECT_EQ(at(env, "D"), "d");
        }
    }
}

TEST_F(RealShell, MessagesNameTheFilesOwnLine) {
    for (const bool foreign : {false, true}) {
        plan.files.clear();
        const auto text = [&](const std::string& plain) { return foreign ? with_crlf(plain) : plain; };
        file("10-syntax.sh", text("export HALF=1\n\nif then\nfi\n"));
        file("20-missing.sh", text("\n\n\n/no/such/program\n"));
        file("90-unset.sh", text("eval :\nset -u\n\n\n\necho $NOPE\n"));
        for (const Shell& shell : shells()) {
            SCOPED_TRACE(shell.name);
            environment(shell);
            EXPECT_EQ(last.result.exit_status, 1);
            EXPECT_FALSE(last.result.environment.size() > 0);
            const bool says_lines = shell.is_bash() || last.errors.find(": line ") != std::string::npos;
            const std::string word = says_lines ? "line " : ": ";
            for (const char* line : {"3: ", "4: ", "6: "}) {
                EXPECT_NE(last.errors.find(word + line), std::string::npos) << line << last.errors;
            }
            EXPECT_NE(last.errors.find("10-syntax.sh of the image has a syntax error"), std::string::npos);
        }
    }
}

TEST_F(RealShell, WhatTheImageSetsReachesTheProgram) {
    file("90-environment.sh",
         "eval 'set -- \"x y\" \"it'\"'\"'s\" \"$1\"'\nSINGULARITY_SHELL=/opt/mysh\nset -u\nexit 0\n");
    file("99-late.sh", "export A=$1 B=${0##*/}\neval 'shift'\n");
    for (const Shell& shell : shells()) {
        SCOPED_TRACE(shell.name);
        const Map env = environment(shell);
        EXPECT_EQ(at(env, "A"), "x y") << last.errors;
        EXPECT_EQ(at(env, "B"), "exec");
        EXPECT_EQ(last.result.arguments, (std::vector<std::string>{"it's", "cmd"}));
        EXPECT_EQ(last.result.shell, "/opt/mysh");
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
