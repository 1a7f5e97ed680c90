#include "image/image_metadata.h"

#include <gtest/gtest.h>

#include "support/fake_tree.h"

namespace swrun {
namespace {

using Map = std::map<std::string, std::string>;

const char* const kSummary = R"({"data":{"attributes":{
    "apps":{"alpha":{"environment":{"/scif/apps/alpha/scif/env/90-environment.sh":"export A=1"},
                     "labels":{"V":"9"},"runscript":"#!/bin/sh\n","test":"t","helpfile":"h"},"beta":{}},
    "environment":{"/.singularity.d/env/90-environment.sh":"export FOO=image\n"},
    "labels":{"B":"2","A":"1"},"runscript":"#!/bin/sh\n\necho <run>\n\n","test":"tests","helpfile":"help",
    "deffile":"Bootstrap: x","startscript":"start"}},"type":"container"})";

TEST(ImageMetadata, ReadsTheSummaryOfASif) {
    const auto metadata = parse_metadata(kSummary);
    ASSERT_TRUE(metadata) << metadata.error().message;
    EXPECT_EQ(metadata->labels, (Map{{"A", "1"}, {"B", "2"}}));
    EXPECT_EQ(metadata->environment, (Map{{"/.singularity.d/env/90-environment.sh", "export FOO=image"}}));
    EXPECT_EQ(metadata->runscript, "#!/bin/sh\n\necho <run>");
    EXPECT_EQ(metadata->test, "tests");
    EXPECT_EQ(metadata->helpfile, "help");
    EXPECT_EQ(metadata->deffile, "Bootstrap: x\n");
    EXPECT_EQ(metadata->startscript, "start");
    ASSERT_EQ(metadata->apps.size(), 2U);
    EXPECT_EQ(metadata->apps.at("alpha").labels, (Map{{"V", "9"}}));
    EXPECT_EQ(metadata->apps.at("alpha").helpfile, "h");
    EXPECT_EQ(metadata->apps.at("beta"), AppMetadata());
}

TEST(ImageMetadata, DamagedSummariesAreErrorsAndNeverEndTheProgram) {
    for (const char* text : {"", "{", "null", "[]", "\"x\"", "{}", R"({"data":1})", R"({"data":{}})",
                             R"({"data":{"attributes":[]}})", "\xff\xfe", "{\"data\":"}) {
        EXPECT_FALSE(parse_metadata(text)) << text;
    }
    EXPECT_FALSE(parse_metadata(std::string(200000, '[')));
}

TEST(ImageMetadata, OddTypesInASummaryAreLeftOut) {
    const auto metadata = parse_metadata(R"({"data":{"attributes":{"labels":{"n":1,"o":{"a":[2]}},"runscript":7,
        "environment":"x","apps":{"a":3,"b":{"labels":[1]}}}}})");
    ASSERT_TRUE(metadata);
    EXPECT_EQ(metadata->labels, (Map{{"n", "1"}, {"o", "{\"a\":[2]}"}}));
    EXPECT_EQ(metadata->runscript, "");
    EXPECT_TRUE(metadata->environment.empty());
    EXPECT_EQ(metadata->apps.size(), 1U);
}

FakeTree old_tree() {
    FakeTree tree;
    tree.file("/.singularity.d/labels.json", "{\"MAINT\": \"old\"}\n")
        .file("/.singularity.d/Singularity", "Bootstrap: docker\n")
        .file("/.singularity.d/actions/run", "#!/bin/sh\nexit 11\n")
        .link("/.singularity.d/runscript", "actions/run")
        .file("/.singularity.d/env/01-base.sh", "base")
        .file("/.singularity.d/env/10-docker2singularity.sh", "docker")
        .file("/.singularity.d/env/90-environment.sh", "env\n")
        .file("/.singularity.d/env/91-mine.sh", "mine")
        .file("/.singularity.d/env/94-appsbase.sh", "")
        .file("/.singularity.d/env/95-apps.sh", "apps")
        .file("/.singularity.d/env/99-base.sh", "")
        .file("/.singularity.d/env/99-runtimevars.sh", "")
        .file("/.singularity.d/env/README", "")
        .file("/scif/apps/alpha/scif/labels.json", "{\"V\":\"1\"}")
        .file("/scif/apps/alpha/scif/runscript", "run alpha\n")
        .file("/scif/apps/alpha/scif/env/90-environment.sh", "A=1")
        .file("/scif/apps/notes.txt", "no app");
    return tree;
}

TEST(ImageMetadata, ReadsTheTree) {
    const ImageMetadata metadata = read_tree_metadata(old_tree());
    EXPECT_EQ(metadata.labels, (Map{{"MAINT", "old"}}));
    EXPECT_EQ(metadata.deffile, "Bootstrap: docker\n");
    EXPECT_EQ(metadata.runscript, "#!/bin/sh\nexit 11");
    EXPECT_EQ(metadata.environment, (Map{{"/.singularity.d/env/10-docker2singularity.sh", "docker"},
                                         {"/.singularity.d/env/90-environment.sh", "env"},
                                         {"/.singularity.d/env/91-mine.sh", "mine"}}));
    ASSERT_EQ(metadata.apps.size(), 1U);
    EXPECT_EQ(metadata.apps.at("alpha").runscript, "run alpha");
    EXPECT_EQ(metadata.apps.at("alpha").environment, (Map{{"/scif/apps/alpha/scif/env/90-environment.sh", "A=1"}}));
}

TEST(ImageMetadata, OldestImagesHaveTheirRunscriptInTheRoot) {
    FakeTree tree;
    tree.file("/singularity", "#!/bin/sh\nexit 12\n");
    EXPECT_EQ(read_tree_metadata(tree).runscript, "#!/bin/sh\nexit 12");
}

TEST(ImageMetadata, AnEmptyTreeHasNone) {
    EXPECT_EQ(read_tree_metadata(FakeTree()), ImageMetadata());
    FakeTree damaged;
    damaged.file("/.singularity.d/labels.json", "{broken").link("/.singularity.d/runscript", "runscript");
    EXPECT_EQ(read_tree_metadata(damaged), ImageMetadata());
}

TEST(ImageMetadata, TheSummaryGoesBeforeTheTree) {
    MetadataObjects objects;
    EXPECT_EQ(read_metadata(old_tree(), objects).labels, (Map{{"MAINT", "old"}}));
    objects.summary = kSummary;
    EXPECT_EQ(read_metadata(old_tree(), objects).labels, (Map{{"A", "1"}, {"B", "2"}}));
    objects.deffile = "Bootstrap: embedded\n";
    EXPECT_EQ(read_metadata(old_tree(), objects).deffile, "Bootstrap: embedded\n");
    objects.summary = "damaged";
    EXPECT_EQ(read_metadata(old_tree(), objects).labels, (Map{{"MAINT", "old"}}));
    EXPECT_EQ(read_metadata(old_tree(), objects).deffile, "Bootstrap: embedded\n");
}

TEST(ImageMetadata, PrintsAsTheToolsDo) {
    ImageMetadata metadata;
    EXPECT_EQ(metadata_json(metadata),
              "{\n\t\"data\": {\n\t\t\"attributes\": {}\n\t},\n\t\"type\": \"container\"\n}\n");
    metadata.labels = {{"b", "2"}, {"a", "<1>"}};
    metadata.deffile = "From: x";
    metadata.runscript = "\xff";
    EXPECT_EQ(metadata_json(metadata),
              "{\n\t\"data\": {\n\t\t\"attributes\": {\n\t\t\t\"labels\": {\n\t\t\t\t\"a\": \"<1>\",\n"
              "\t\t\t\t\"b\": \"2\"\n\t\t\t},\n\t\t\t\"runscript\": \"\xEF\xBF\xBD\",\n\t\t\t\"deffile\": "
              "\"From: x\"\n"
              "\t\t}\n\t},\n\t\"type\": \"container\"\n}\n");
}

TEST(ImageMetadata, PrintedAndReadAgainIsTheSame) {
    const ImageMetadata metadata = parse_metadata(kSummary).value();
    EXPECT_EQ(parse_metadata(metadata_json(metadata)).value(), metadata);
}

}  // namespace
}  // namespace swrun
