// What shell_lite evaluates, what it refuses, and that hostile text costs little.
#include "shell/shell_lite.h"

#include <gtest/gtest.h>

#include "support/fake_tree.h"

namespace swrun {
namespace {

struct Ran {
    ShellOutcome outcome;
    ShellSession session;

    [[nodiscard]] std::string value(const std::string& name) const {
        const auto found = session.variables.find(name);
        return found == session.variables.end() || !found->second.is_set ? "(unset)" : found->second.value;
    }
};

FakeTree tree() {
    FakeTree made;
    made.dir("/opt/tool").file("/opt/tool/env.sh", "export SOURCED=yes\nreturn 3\nexport NOT=reached\n");
    made.file("/opt/loop.sh", ". /opt/loop.sh\n").file("/opt/exit.sh", "exit 7\n").file("/opt/empty");
    made.link("/opt/current", "tool").link("/opt/broken", "nowhere").file("/opt/odd.sh", "odd | thing\n");
    return made;
}

Ran run(std::string_view text, std::vector<std::string> positional = {}) {
    static const FakeTree kTree = tree();
    Ran made;
    made.session.positional = std::move(positional);
    made.session.variables["HOST"] = {"h", true, true, false, "caller"};
    ShellOptions options;
    options.tree = &kTree;
    options.working_directory = "/opt";
    options.origin = "image /e.sh";
    made.outcome = run_shell_text("/e.sh", text, made.session, options);
    return made;
}

struct Case {
    const char* text;
    const char* expected;  // of X
};

class Evaluates : public testing::TestWithParam<Case> {};

TEST_P(Evaluates, ToThisValue) {
    const Ran made = run(GetParam().text, {"one", "two words"});
    EXPECT_EQ(made.outcome.kind, ShellOutcome::Kind::finished) << GetParam().text << "\n"
                                                               << made.outcome.refusal.reason;
    EXPECT_EQ(made.value("X"), GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Words, Evaluates,
    testing::Values(Case{"X=a", "a"}, Case{"X=", ""}, Case{"X='a b'\"c d\"e", "a bc de"}, Case{"X=a\\ b", "a b"},
                    Case{"X=\"a\\$b\\\\c\\d\"", "a$b\\c\\d"}, Case{"X='$HOST \"q\"'", "$HOST \"q\""},
                    Case{"X=$HOST$HOST", "hh"}, Case{"X=${HOST}x", "hx"}, Case{"X=$NONE", ""},
                    Case{"X=\"$HOST\"x", "hx"}, Case{"X=a\\\nb", "ab"}, Case{"X='a\nb'", "a\nb"},
                    Case{"X=\"a\\\nb\"", "ab"}, Case{"X=a#b # comment", "a#b"}, Case{"# comment\n\n  X=1 ; ", "1"},
                    Case{"X=$", "$"}, Case{"X=\"cost $\"", "cost $"}, Case{"X=\"$ 5\"", "$ 5"},
                    Case{"X=a:b=c", "a:b=c"}, Case{"X=*", "*"}, Case{"X=\"~/x\"", "~/x"}, Case{"A=1 B=2\nX=$A$B", "12"},
                    Case{"A=1 X=$A", "1"}, Case{"X=\"$1-$2-$#-$3\"", "one-two words-2-"},
                    Case{"X=\"$@\"", "one two words"}, Case{"X=\"${1}\"", "one"}, Case{"X=$*", "one two words"},
                    Case{"false\nX=$?", "1"}, Case{"if false; then :; else X=$?; fi", "1"},
                    Case{"false\nfor i in a; do X=$?; done", "1"}, Case{"false\ncase a in a) X=$? ;; esac", "1"},
                    Case{"false\ncase a in b) ;; esac\nX=$?", "0"}, Case{"X=$(false) || X=failed", "failed"},
                    Case{"false\n$NONE\nX=$?", "0"}));

INSTANTIATE_TEST_SUITE_P(
    Operators, Evaluates,
    testing::Values(Case{"X=${HOST:-d}", "h"}, Case{"X=${NONE:-d}", "d"}, Case{"X=${NONE-d}", "d"},
                    Case{"E=\nX=${E-d}", ""}, Case{"E=\nX=${E:-d}", "d"}, Case{"X=${HOST:+alt}", "alt"},
                    Case{"X=${NONE:+alt}", ""}, Case{"E=\nX=${E+alt}", "alt"}, Case{"X=\"${NONE:-\"a b\"}\"", "a b"},
                    Case{"X=\"${NONE:-\"cost \\$5 \\${HOME}\"}\"", "cost $5 ${HOME}"},
                    Case{"X=\"${NONE:-\"it's \\\"q\\\"\"}\"", "it's \"q\""}, Case{"X=\"${NONE:-\"\"}\"", ""},
                    Case{"X=${NONE:-${HOST}-${ALSO:-z}}", "h-z"}, Case{"X=${NONE:-'a b'}", "a b"},
                    Case{"X=${NONE:-a b}", "a b"}, Case{"X=\"${NONE:-a\\}b}\"", "a}b"},
                    Case{"Y=${NONE:=set}\nX=$NONE", "set"}, Case{"P=/a/b/c.tar.gz\nX=${P%/*}", "/a/b"},
                    Case{"P=/a/b/c.tar.gz\nX=${P%%.*}", "/a/b/c"}, Case{"P=/a/b/c.tar.gz\nX=${P##*/}", "c.tar.gz"},
                    Case{"P=/a/b/c.tar.gz\nX=${P#*/}", "a/b/c.tar.gz"}, Case{"P=a*b\nX=${P%\"*b\"}", "a"},
                    Case{"P=a*b\nX=\"${P%'*b'}\"", "a"}, Case{"P=axb\nX=\"${P%'*b'}\"", "axb"},
                    Case{"P=a/b\nS=/b\nX=${P%\"$S\"}", "a"}, Case{"P=v12\nX=${P#v[0-9]}", "2"},
                    Case{"P=v12\nX=${P#?}", "12"}, Case{"P=abc\nX=${#P}", "3"}, Case{"X=${#NONE}", "0"},
                    Case{"X=${PATHS:+$PATHS:}/bin", "/bin"}));

INSTANTIATE_TEST_SUITE_P(
    Commands, Evaluates,
    testing::Values(Case{"export X=1", "1"}, Case{"export A=1 X=\"a b\" B", "a b"}, Case{"X=1\nunset X", "(unset)"},
                    Case{"A=\"a b\"\nexport X=$A", "a b"}, Case{"A=\"a *\"\nexport X=$A", "a *"},
                    Case{"\\export X=ok", "ok"}, Case{"A='X=dyn'\nexport \"$A\"", "dyn"}, Case{"readonly X=r", "r"},
                    Case{"A=1\nexport A=2 X=$A", "1"}, Case{"if true; then X=1; else X=2; fi", "1"},
                    Case{"if false; then X=1; elif true; then X=2; fi", "2"},
                    Case{"if ! true\nthen X=1\nelse\nX=2\nfi", "2"}, Case{"true && X=1", "1"},
                    Case{"false && X=1", "(unset)"}, Case{"false || X=1", "1"}, Case{"true || X=1 && X=2", "2"},
                    Case{"{ X=1; }", "1"}, Case{": ${X:=v}", "v"}, Case{"case abc in a*) X=1 ;; *) X=2 ;; esac", "1"},
                    Case{"case abc in x|abc) X=1;; esac", "1"}, Case{"case abc in (\"a*\") X=1 ;; (*) X=2\nesac", "2"},
                    Case{"case \":/a:/b:\" in *:\"/b\":*) ;; *) X=new ;; esac", "(unset)"},
                    Case{"for i in a \"b c\" $NONE; do X=$X[$i]; done", "[a][b c]"},
                    Case{"for i; do X=\"$X<$i>\"; done", "<one><two words>"},
                    Case{"L='a b'\nfor i in $L; do X=$X-$i; done", "-a-b"},
                    Case{"for i in a b c; do if [ $i = b ]; then break; fi; X=$i; done", "a"},
                    Case{"for i in a b c; do if [ $i = c ]; then continue; fi; X=$i; done", "b"},
                    Case{"X=$(echo a; echo \"b c\")", "a\nb c"}, Case{"X=`echo back`", "back"},
                    Case{"X=`echo \\`echo deep\\``", "deep"}, Case{"A=1\nX=$(A=2; echo $A)$A", "21"},
                    Case{"X=$(printf '%s,' x y z)", "x,y,z,"}, Case{"X=$(printf 'a%%b\\n\\tc')", "a%b\n\tc"},
                    Case{"X=$(echo -n a)b", "ab"}, Case{". /opt/tool/env.sh\nX=$SOURCED$NOT$?", "yes3"},
                    Case{"source /opt/current/env.sh \"$@\" && X=1 || X=$?", "3"}, Case{"X=1\nreturn\nX=2", "1"},
                    Case{"[ -n \"$X\" ] && X=bad\n[ -z \"$X\" ] && X=good", "good"}));

struct TestCase {
    const char* words;
    bool expected;
};

TEST(ShellLite, EvaluatesTests) {
    const TestCase cases[] = {
        {"", false},
        {"a", true},
        {"''", false},
        {"-n ''", false},
        {"-z ''", true},
        {"! ''", true},
        {"a = a", true},
        {"a == a", true},
        {"a != a", false},
        {"! a = b", true},
        {"-n a -a -z ''", true},
        {"-z a -o -n b", true},
        {"a = b -o c = c -a d = d", true},
        {"3 -gt 2", true},
        {"-1 -lt 0", true},
        {"2 -ge 3", false},
        {"-f /opt/empty", true},
        {"-d /opt/tool", true},
        {"-d /opt/tool/", true},
        {"-f /opt/empty/", false},
        {"-d /opt/current", true},
        {"-L /opt/current", true},
        {"-h /opt/tool", false},
        {"-e /opt/broken", false},
        {"-L /opt/broken", true},
        {"-e /nothing", false},
        {"-s /opt/empty", false},
        {"-s /opt/exit.sh", true},
        {"-r /opt/empty", true},
        {"-x /opt/empty", false},
        {"-x /opt/tool", true},
        {"-f empty", true},
        {"-e ''", false},
        {"'' -a b", false},
        {"! -d /opt/tool", false},
        {"= = =", true},
    };
    for (const TestCase& each : cases) {
        for (const std::string& form : {std::string("test ") + each.words, std::string("[ ") + each.words + " ]"}) {
            const Ran made = run(form);
            EXPECT_EQ(made.outcome.kind, ShellOutcome::Kind::finished) << form << ": " << made.outcome.refusal.reason;
            EXPECT_EQ(made.outcome.status == 0, each.expected) << form;
        }
    }
}

struct RefusedCase {
    const char* text;
    Refusal::Kind kind;
    const char* reason;
};

TEST(ShellLite, RefusesWhatItDoesNotKnow) {
    const auto construct = Refusal::Kind::construct;
    const RefusedCase cases[] = {
        {"\narr=(a b)", construct, "/e.sh:2: an array"},
        {"arr[0]=a", construct, "an array"},
        {"X+=a", construct, "+="},
        {"[[ a == b ]]", construct, "[["},
        {"f() { :; }", construct, "function"},
        {"function f { :; }", construct, "function"},
        {"X=$((1+2))", construct, "arithmetic"},
        {"X=${Y//a/b}", construct, "beyond"},
        {"X=${Y:1:2}", construct, "beyond"},
        {"X=\"${Y:-it's}\"", construct, "single quote"},
        {"X=\"${Y:-a\"b\"}\"", construct, "a quote inside"},
        {"X=\"${Y:-\"a\"b}\"", construct, "a quote inside"},
        {"X=$(false)$?", construct, "$? after"},
        {"X=${!Y}", construct, "beyond"},
        {"X=${Y^^}", construct, "beyond"},
        {"X=$'\\c?'", construct, "$''"},
        {"X=$\"a\"", construct, "quoting"},
        {"X=~/a", construct, "tilde"},
        {"export X=a:~/b", construct, "tilde"},
        {"X=${Y:?no}", construct, "Y?"},
        {"echo *", construct, "pattern"},
        {"Y='*'\necho $Y", construct, "pattern"},
        {"echo {a,b}", construct, "braces"},
        {"export X={a,b}", construct, "braces"},
        {"set -e", construct, "builtin set"},
        {"eval X=1", construct, "builtin eval"},
        {"cd /", construct, "builtin cd"},
        {"X=$RANDOM", construct, "RANDOM"},
        {"X=${BASH_VERSION:-}", construct, "BASH_VERSION"},
        {"X=$$", construct, "$$"},
        {"X=$0", construct, "$0"},
        {"IFS=:", construct, "IFS"},
        {"unset IFS", construct, "IFS"},
        {"readonly R=1\nR=2", construct, "readonly"},
        {"export -n X", construct, "export -n"},
        {"export 1a=2", construct, "export"},
        {"ls", Refusal::Kind::command, "command ls"},
        {"X=$(id)", Refusal::Kind::command, "command id"},
        {"/no/such a b", Refusal::Kind::command, "/no/such"},
        {"A=1 env", Refusal::Kind::command, "one command"},
        {"[ a -nt b ]", construct, "test"},
        {"echo a > f", Refusal::Kind::redirection, "redirection"},
        {"echo a >> f", Refusal::Kind::redirection, "redirection"},
        {"true 2>/dev/null", Refusal::Kind::redirection, "redirection"},
        {"true </dev/null", Refusal::Kind::redirection, "redirection"},
        {"echo a | cat", construct, "pipeline"},
        {"true &", construct, "background"},
        {"(X=1)", construct, "subshell"},
        {"cat <<E\nE", construct, "here"},
        {"while true; do :; done", construct, "while"},
        {"echo 'a\\nb'", construct, "backslash"},
        {"echo -e a", construct, "echo"},
        {"printf '%d' 1", construct, "printf"},
        {"if true; then", construct, "nothing in then"},
        {"fi", construct, "syntax"},
        {"X='a", construct, "quote"},
        {"X=\"a", construct, "quote"},
        {"X=${Y", construct, "beyond"},
        {"X=$(echo", construct, "$("},
        {"X=`echo", construct, "backquote"},
        {"true;;", construct, "syntax"},
        {"; true", construct, "syntax"},
        {"true && ; true", construct, "syntax"},
        {"case a in a) :", construct, "case"},
        {". file.sh", construct, "PATH"},
        {". /opt/loop.sh", construct, "too many files"},
        {". /opt/odd.sh", construct, "/opt/odd.sh:1"},
        {". /opt/tool/env.sh x", construct, "arguments"},
        {"[ \\( a -o b \\) ]", construct, "test"},
        {"exit 1000", construct, "exit"},
        {"umask u=rwx", construct, "umask"},
        {"X=a\\", construct, "backslash"},
        {"P=äb\nX=${P#?}", construct, "ASCII"},
        {"case a in [[:alpha:]]) ;; esac", construct, "ASCII"},
        {"X=${#Y}${Y:=ü}${#Y}", construct, "ASCII"},
    };
    for (const RefusedCase& each : cases) {
        const Ran made = run(each.text);
        ASSERT_EQ(made.outcome.kind, ShellOutcome::Kind::unsupported) << each.text;
        EXPECT_EQ(made.outcome.refusal.kind, each.kind) << each.text << ": " << made.outcome.refusal.reason;
        EXPECT_NE(made.outcome.refusal.reason.find(each.reason), std::string::npos)
            << each.text << ": " << made.outcome.refusal.reason;
    }
}

TEST(ShellLite, UnreachedCommandsDoNotCount) {
    const Ran made = run("if [ -d /nothing ]; then ls | wc > f; fi\nfalse && id\nX=1");
    EXPECT_EQ(made.outcome.kind, ShellOutcome::Kind::finished) << made.outcome.refusal.reason;
    EXPECT_EQ(made.value("X"), "1");
}

TEST(ShellLite, ExportsAndOrigins) {
    const Ran made = run("A=1\nexport B=2 C\nC=3\nHOST=new\nreadonly D=4\nexport D");
    const auto& variables = made.session.variables;
    EXPECT_FALSE(variables.at("A").exported);
    EXPECT_TRUE(variables.at("B").exported);
    EXPECT_TRUE(variables.at("C").exported);
    EXPECT_EQ(variables.at("C").value, "3");
    EXPECT_TRUE(variables.at("HOST").exported);
    EXPECT_EQ(variables.at("HOST").origin, "image /e.sh");
    EXPECT_TRUE(variables.at("D").exported);
}

TEST(ShellLite, ExitsAndStatus) {
    EXPECT_EQ(run("exit 33\nX=1").outcome, (ShellOutcome{ShellOutcome::Kind::exited, 33, {}}));
    EXPECT_EQ(run("false\nexit").outcome, (ShellOutcome{ShellOutcome::Kind::exited, 1, {}}));
    EXPECT_EQ(run(". /opt/exit.sh").outcome, (ShellOutcome{ShellOutcome::Kind::exited, 7, {}}));
    EXPECT_EQ(run("X=$(exit 3)").outcome, (ShellOutcome{ShellOutcome::Kind::finished, 3, {}}));
    EXPECT_EQ(run("return 5").outcome, (ShellOutcome{ShellOutcome::Kind::finished, 5, {}}));
}

TEST(ShellLite, OutputUmaskAndNotes) {
    const Ran made = run("echo a \"b  c\"\necho\numask 027\n. /opt/nothing.sh\necho $?");
    EXPECT_EQ(made.session.output, "a b  c\n\n1\n");
    EXPECT_EQ(made.session.umask, std::optional<mode_t>(027));
    ASSERT_EQ(made.session.notes.size(), 1U);
    EXPECT_EQ(made.session.notes[0].text, "/e.sh:4: /opt/nothing.sh: no such file or directory");
}

TEST(ShellLite, ProtectedNamesKeepTheirValue) {
    ShellSession session;
    session.variables["UID"] = {"7", true, true, false, ""};
    session.protected_names = {"UID"};
    const ShellOutcome outcome = run_shell_text("f", "UID=1\nexport UID=2\nunset UID\nX=$UID", session, {});
    EXPECT_EQ(outcome.kind, ShellOutcome::Kind::finished) << outcome.refusal.reason;
    EXPECT_EQ(session.variables["X"].value, "7");
    EXPECT_EQ(session.notes.size(), 3U);
    EXPECT_EQ(session.notes[0].text, "f:1: UID: readonly variable");
}

TEST(ShellLite, WithoutATreeFilesAreRefused) {
    ShellSession session;
    EXPECT_EQ(run_shell_text("f", "[ -f /x ]", session, {}).refusal.kind, Refusal::Kind::redirection);
    EXPECT_EQ(run_shell_text("f", ". /x", session, {}).refusal.kind, Refusal::Kind::redirection);
}

TEST(ShellLite, HostileTextIsBounded) {
    std::string doubling = "X=aaaaaaaaaaaaaaaa\n";
    for (int i = 0; i < 60; ++i) doubling += "X=$X$X\n";
    std::string nested;
    for (int i = 0; i < 5000; ++i) nested += "if true; then ";
    std::string braces = "X=";
    for (int i = 0; i < 5000; ++i) braces += "${A:-";
    std::string substitutions = "X=";
    for (int i = 0; i < 5000; ++i) substitutions += "$(echo ";
    std::string quotes = "X=";
    for (int i = 0; i < 5000; ++i) quotes += "\"${A:-";
    std::string product = "L='1 2 3 4 5 6 7 8 9 10'\n";
    for (int i = 0; i < 12; ++i) product += "for i" + std::to_string(i) + " in $L; do ";
    product += ":;";
    for (int i = 0; i < 12; ++i) product += " done;";
    const std::string slow = "X=" + std::string(20000, 'a') + "\nY=${X%%*a*a*a*a*a*b}";
    const std::string backquotes(5000, '`');
    for (const std::string& text :
         {doubling, nested, braces, substitutions, quotes, product, slow, std::string(2000000, '#'),
          std::string("X=a\0b", 5), "X=" + std::string(4000, '\\') + "`"}) {
        EXPECT_EQ(run(text).outcome.kind, ShellOutcome::Kind::unsupported) << text.substr(0, 60);
    }
    EXPECT_EQ(run("X=" + backquotes).value("X"), "");
}

// Cutting good text anywhere must never crash, and never report success for an open construct.
TEST(ShellLite, SurvivesEveryPrefix) {
    const std::string text =
        "# c\nexport A=\"${B:-\"x $(echo `echo y`) z\"}\" C='q'\nif [ -n \"$A\" ] && ! test -d \"/x\"; then\n"
        "  case \"$A\" in *:\"$C\":*|[a-c]) ;; *) A=${A%%/*}\\\n ;; esac\nelif false; then :; else for i in a b; do { "
        "echo $i; }; done; fi\n";
    for (std::size_t i = 0; i <= text.size(); ++i) {
        for (const char* tail : {"", "\"", "}", ")", "'", "`", ";", "\n", "\\", "$", "(", "&", "|", "<", "\xff"}) {
            const Ran made = run(text.substr(0, i) + tail);
            EXPECT_LE(made.session.output.size(), 100U);
        }
    }
    EXPECT_EQ(run(text).outcome.kind, ShellOutcome::Kind::finished);
}

}  // namespace
}  // namespace swrun
