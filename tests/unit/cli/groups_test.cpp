// Which command takes which options: the groups that the rows of both tables name.
#include "cli/command_rows.h"
#include "cli/option_table.h"
#include "command_line.h"

namespace swrun {
namespace {

// More enumerators than a machine word has bits, as the commands will be one day.
enum class Many : std::uint8_t { first, last_of_word = 63, next_word = 64, last = 129 };
using ManySet = EnumSet<Many, 130>;

TEST(EnumSet, HoldsMoreThanAWordHasBits) {
    constexpr ManySet set = {Many::first, Many::last_of_word, Many::last};
    static_assert(set.has(Many::first) && set.has(Many::last_of_word) && set.has(Many::last));
    static_assert(!set.has(Many::next_word) && !set.empty());
    EXPECT_TRUE(set.meets(Many::last));
    EXPECT_FALSE(set.meets(Many::next_word));
    EXPECT_FALSE(set.meets({}));
    EXPECT_TRUE((set | Many::next_word).has(Many::next_word));
    EXPECT_EQ(set | set, set);
    EXPECT_TRUE(ManySet().empty());
    for (unsigned i = 0; i < 130; ++i) EXPECT_TRUE(ManySet::all().has(static_cast<Many>(i))) << i;
}

TEST(CommandGroups, EveryOneHasCommandsThatNameIt) {
    for (std::size_t i = 0; i < kCommandGroupCount; ++i) {
        const auto group = static_cast<CommandGroup>(i);
        EXPECT_FALSE(commands_in(group).empty()) << i;
        for (const CommandSpec& spec : commands()) {
            EXPECT_EQ(spec.groups.has(group), is_in(spec.id, group)) << full_name(spec);
        }
        EXPECT_FALSE(is_in(Command::elsewhere, group));
        EXPECT_FALSE(is_in(Command::before, group));
    }
}

TEST(CommandGroups, EveryOptionIsTakenBySomeCommandOrBefore) {
    const CommandSet nobody = {Command::elsewhere, Command::wrapper};
    for (const OptionSpec& spec : options()) {
        EXPECT_FALSE(spec.commands.empty()) << spec.name;
        if (spec.id != OptionId::help) {
            EXPECT_FALSE(spec.commands.meets(nobody)) << spec.name;
        }
    }
}

// An option that one command of the group takes and another does not would be a list of its own.
TEST(CommandGroups, ThoseThatLaunchTakeTheSameOptions) {
    const CommandSet& launching = commands_in(CommandGroup::launching);
    for (const OptionSpec& spec : options_of(launching)) {
        const bool all = (spec.commands | launching) == spec.commands;
        const bool one = spec.commands == Command::shell || spec.commands == Command::run;
        EXPECT_TRUE(all || one || spec.commands == commands_in(CommandGroup::starting)) << spec.name;
    }
}

// A row is all that a new command needs: with it come the options of the groups that it names, and no others.
TEST(CommandGroups, ARowIsAllThatACommandNeeds) {
    constexpr CommandSpec kRows[] = {
        {.id = Command::doctor,
         .name = "new",
         .groups = {CommandGroup::launching, CommandGroup::caching},
         .summary = "In two groups"},
        {.id = Command::exec, .name = "exec", .groups = CommandGroup::launching, .summary = "In one"},
        {.id = Command::help, .name = "none", .summary = "In none"},
    };
    constexpr CommandSet kLaunching = rows::members(kRows, CommandGroup::launching);
    static_assert(kLaunching == CommandSet{Command::doctor, Command::exec});
    static_assert(rows::members(kRows, CommandGroup::caching) == Command::doctor);
    EXPECT_TRUE(rows::members(kRows, CommandGroup::starting).empty());
    for (const CommandSpec& spec : commands()) {
        for (const OptionSpec& option : options_of(commands_in(CommandGroup::launching))) {
            const bool of_group = (option.commands | commands_in(CommandGroup::launching)) == option.commands;
            if (of_group && is_in(spec.id, CommandGroup::launching)) {
                EXPECT_EQ(find_option(spec.id, option.name), &option) << full_name(spec) << " " << option.name;
            }
        }
    }
}

TEST(Choices, EachWordHasItsMeaning) {
    const auto launch = [](const char* option) {
        return Reading().invocation({"swrun", "exec", option, "i", "x"}).launch;
    };
    EXPECT_EQ(launch("--image-mode=auto").image_mode.value, ImageMode::automatic);
    EXPECT_EQ(launch("--image-mode=fuse").image_mode.value, ImageMode::fuse);
    EXPECT_EQ(launch("--image-mode=unpack").image_mode.value, ImageMode::unpack);
    EXPECT_EQ(launch("--image-reader=swrun").image_reader.value, ImageReader::own);
    EXPECT_EQ(launch("--image-reader=squashfuse").image_reader.value, ImageReader::squashfuse);
    EXPECT_EQ(launch("--share=auto").share.value, ShareMode::automatic);
    EXPECT_EQ(launch("--share=always").share.value, ShareMode::always);
    EXPECT_EQ(launch("--share=never").share.value, ShareMode::never);
    EXPECT_EQ(launch("--sharens").share.value, ShareMode::always);
    EXPECT_EQ(launch("--cleanenv").share.value, ShareMode::automatic);
}

TEST(Choices, AnotherWordInAVariableNamesTheVariable) {
    for (const auto& [key, message, hint] : {
             std::array{"IMAGE_MODE", "unknown image mode magic", "auto, fuse or unpack"},
             std::array{"IMAGE_READER", "unknown image reader magic", "swrun or squashfuse"},
             std::array{"SHARE", "unknown way to share magic", "auto, always or never"},
         }) {
        Reading reading;
        reading.environment = {{"SWRUN_" + std::string(key), "magic"}};
        const Error error = reading.error({"swrun", "exec", "i", "x"});
        EXPECT_EQ(error.message, std::string(message) + " (from variable SWRUN_" + key + ")");
        EXPECT_EQ(error.hint, hint);
    }
}

TEST(Choices, AreWordsOfWhichTheFirstIsTheDefault) {
    for (const OptionSpec& spec : options()) {
        const auto words = choices_of(spec);
        if (words.empty()) continue;
        EXPECT_GE(words.size(), 2U) << spec.name;
        EXPECT_EQ(spec.kind, ValueKind::text) << spec.name;
        for (const std::string_view word : words) EXPECT_NE(spec.help.find(word), std::string_view::npos) << word;
    }
    EXPECT_EQ(choices_of(spec_of(OptionId::image_reader)).size(), 2U);
    EXPECT_EQ(choices_of(spec_of(OptionId::share)).size(), 3U);
    EXPECT_TRUE(choices_of(spec_of(OptionId::home)).empty());
}

}  // namespace
}  // namespace swrun
