#include "gpu/host/nvidia.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "gpu/lib_list.h"
#include "support/fake_tree.h"
#include "unit/gpu/cache_builder.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kPath = "/usr/local/bin:/usr/bin:/bin";

// A host on which some files can be executed and others are sockets or devices.
class FakeHost : public FakeTree {
public:
    FakeHost& program(const std::string& path) {
        executable_.insert(path);
        file(path);
        return *this;
    }
    FakeHost& special(const std::string& path) {
        special_.insert(path);
        file(path);
        return *this;
    }
    // A library that starts with the bytes of this program's own kind, or with `head`.
    FakeHost& library(const std::string& path, const std::string& head = read_file_head("/proc/self/exe")) {
        heads_[path] = head;
        file(path);
        return *this;
    }
    [[nodiscard]] Node look(const std::string& path) const override {
        Node node = FakeTree::look(path);
        if (executable_.contains(path)) node.mode = 0755;
        if (special_.contains(path)) node.kind = Node::Kind::other;
        return node;
    }
    [[nodiscard]] GpuFacts discover(const std::vector<CacheLine>& cache, const std::string& list,
                                    const char* path = kPath) const {
        return discover_raw(new_cache(cache), list, path);
    }
    [[nodiscard]] GpuFacts discover_raw(const std::string& cache, const std::string& list,
                                        const char* path = kPath) const {
        return discover_nvidia(*this, cache, list, path, [this](const std::string& asked) {
            const auto found = heads_.find(resolve_in(*this, asked).path);
            return found == heads_.end() ? std::string() : found->second;
        });
    }

private:
    std::set<std::string> executable_;
    std::set<std::string> special_;
    std::map<std::string, std::string> heads_;
};

TEST(Nvidia, AHostWithoutADriver) {
    const GpuFacts facts = FakeHost().discover({{"libc.so.6", "/lib64/libc.so.6"}}, std::string(default_nv_lib_list()));
    GpuFacts nothing;
    nothing.vendor = "nv";
    EXPECT_EQ(facts, nothing);
}

TEST(Nvidia, EveryNameWithThePrefixOfAnEntry) {
    FakeHost host;
    host.library("/l/libcuda.so.535.1")
        .link("/l/libcuda.so.1", "libcuda.so.535.1")
        .link("/l/libcuda.so", "libcuda.so.1");
    host.library("/l/libcudart.so.12");
    const GpuFacts facts = host.discover({{"libcudart.so.12", "/l/libcudart.so.12"},
                                          {"libcuda.so.1", "/l/libcuda.so.1"},
                                          {"libcuda.so", "/l/libcuda.so"}},
                                         "libcuda.so");
    EXPECT_THAT(facts.libraries,
                ElementsAre(GpuLibrary{"libcuda.so.1", "/l/libcuda.so.1"}, GpuLibrary{"libcuda.so", "/l/libcuda.so"}));
}

TEST(Nvidia, TheFirstFileOfOurClassAndMachine) {
    const std::string own = read_file_head("/proc/self/exe");
    const auto other_class = static_cast<unsigned char>(own[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64);
    std::uint16_t machine = 0;
    std::memcpy(&machine, own.data() + 18, sizeof machine);
    FakeHost host;
    host.library("/32/libcuda.so.1", elf_head(other_class, machine));
    host.library("/arm/libcuda.so.1", elf_head(static_cast<unsigned char>(own[EI_CLASS]), EM_ARM));
    host.library("/script/libcuda.so.1", "/* GNU ld script */ INPUT(libcuda)");
    host.library("/short/libcuda.so.1", own.substr(0, 19));
    host.library("/good/libcuda.so.1").library("/late/libcuda.so.1");
    std::vector<CacheLine> cache;
    for (const char* directory : {"/absent/", "/32/", "/arm/", "/script/", "/short/", "/good/", "/late/"}) {
        cache.push_back({"libcuda.so.1", std::string(directory) + "libcuda.so.1"});
    }
    EXPECT_THAT(host.discover(cache, "libcuda.so").libraries,
                ElementsAre(GpuLibrary{"libcuda.so.1", "/good/libcuda.so.1"}));
}

TEST(Nvidia, ANameThatSeveralEntriesMatchIsTakenOnce) {
    FakeHost host;
    host.library("/l/libnvidia-ml.so.1");
    EXPECT_THAT(host.discover({{"libnvidia-ml.so.1", "/l/libnvidia-ml.so.1"}}, "libnvidia-ml.so\nlibnvidia-ml.so.1\n")
                    .libraries,
                testing::SizeIs(1));
}

TEST(Nvidia, CacheLinesThatNameNoFileAreIgnored) {
    FakeHost host;
    host.library("/l/libcuda.so.1");
    const GpuFacts facts = host.discover(
        {{"libcuda.so/../../x", "/l/libcuda.so.1"}, {"libcuda.so.2", "relative"}, {"libcuda.so.3", ""}}, "libcuda.so");
    EXPECT_THAT(facts.libraries, IsEmpty());
}

TEST(Nvidia, LibrariesOfAnOuterContainerWin) {
    FakeHost host;
    host.library("/.singularity.d/libs/libcuda.so.1")
        .library("/img/libcuda.so.1")
        .library("/img/libcuda.so")
        .library("/img/libnvidia-ml.so.1");
    const GpuFacts facts = host.discover(
        {{"libcuda.so.1", "/img/libcuda.so.1"},
         {"libcuda.so", "/img/libcuda.so"},  // a stub for linking: not beside the real one
         {"libnvidia-ml.so.1", "/img/libnvidia-ml.so.1"}},
        "libcuda.so\nlibnvidia-ml.so\n");
    EXPECT_THAT(facts.libraries, ElementsAre(GpuLibrary{"libcuda.so.1", "/.singularity.d/libs/libcuda.so.1"},
                                             GpuLibrary{"libnvidia-ml.so.1", "/img/libnvidia-ml.so.1"}));
}

TEST(Nvidia, ALibraryNamedByItsPathBringsItsLinks) {
    FakeHost host;
    host.library("/opt/d/libx.so.535")
        .link("/opt/d/libx.so.1", "libx.so.535")
        .link("/opt/d/libx.so", "/opt/d/libx.so.1");
    host.library("/opt/d/libx.so.470").link("/opt/d/libx.so.0", "libx.so.470").link("/opt/d/liby.so", "libx.so.535");
    host.link("/opt/d/libx.so.2", "gone");
    const GpuFacts facts = host.discover({}, "/opt/d//libx.so.535");
    EXPECT_THAT(facts.libraries, testing::UnorderedElementsAre(GpuLibrary{"libx.so.535", "/opt/d/libx.so.535"},
                                                               GpuLibrary{"libx.so.1", "/opt/d/libx.so.1"},
                                                               GpuLibrary{"libx.so", "/opt/d/libx.so"}));
    EXPECT_THAT(host.discover({}, "/opt/d/libmissing.so.1").libraries, IsEmpty());
}

TEST(Nvidia, ProgramsComeFromPath) {
    FakeHost host;
    host.file("/usr/local/bin/nvidia-smi");  // not executable
    host.dir("/usr/local/bin/nvidia-debugdump");
    host.program("/usr/bin/nvidia-smi").program("/bin/nvidia-smi");
    host.program("/opt/real").link("/bin/nvidia-debugdump", "/opt/real").link("/usr/bin/nvidia-debugdump", "/gone");
    const std::string list = "nvidia-smi\nnvidia-debugdump\nnvidia-absent\n";
    EXPECT_THAT(host.discover({}, list).programs, ElementsAre("/usr/bin/nvidia-smi", "/bin/nvidia-debugdump"));
    EXPECT_THAT(host.discover({}, list, "").programs, IsEmpty());
    EXPECT_THAT(host.discover({}, list, ".:bin:").programs, IsEmpty());
}

TEST(Nvidia, FilesAndSocketsThatExist) {
    FakeHost host;
    host.file("/usr/share/a.json").link("/etc/b.json", "/usr/share/a.json").dir("/etc/c.json");
    host.special("/run/nvidia-persistenced/socket").link("/var/run", "/run");
    const GpuFacts facts = host.discover(
        {}, "/usr/share/a.json\n/etc/b.json\n/etc/c.json\n/etc/d.json\n/usr/share/a.json\n");
    EXPECT_THAT(facts.files, ElementsAre("/usr/share/a.json", "/etc/b.json"));
}

TEST(Nvidia, SocketsOfTheDaemons) {
    FakeHost host;
    host.special("/var/run/nvidia-persistenced/socket").file("/var/run/nvidia-fabricmanager/socket");
    EXPECT_THAT(host.discover({}, "").sockets, ElementsAre("/var/run/nvidia-persistenced/socket"));
}

TEST(Nvidia, DevicesOfDev) {
    FakeHost host;
    host.special("/dev/nvidia0").special("/dev/nvidiactl").special("/dev/nvidia-caps/nvidia-cap1").special("/dev/null");
    EXPECT_THAT(host.discover({}, "").devices,
                ElementsAre(GpuDevice{"/dev/nvidia-caps", true}, GpuDevice{"/dev/nvidia0", false},
                            GpuDevice{"/dev/nvidiactl", false}));
}

TEST(Nvidia, ADamagedCacheIsANote) {
    FakeHost host;
    host.program("/usr/bin/nvidia-smi").library("/opt/libcuda.so.1");
    const GpuFacts facts = host.discover_raw("garbage", "nvidia-smi\nlibcuda.so\n/opt/libcuda.so.1\n");
    EXPECT_THAT(facts.programs, ElementsAre("/usr/bin/nvidia-smi"));
    EXPECT_THAT(facts.libraries, ElementsAre(GpuLibrary{"libcuda.so.1", "/opt/libcuda.so.1"}));
    ASSERT_EQ(facts.notes.size(), 1U);
    EXPECT_EQ(facts.notes[0].level, Level::warning);
    EXPECT_THAT(facts.notes[0].text, testing::HasSubstr("/etc/ld.so.cache is damaged"));
    EXPECT_THAT(host.discover_raw("", "libcuda.so").notes, IsEmpty());
}

TEST(NvLibListText, TheSitesListReplacesTheBuiltIn) {
    FakeHost host;
    EXPECT_EQ(nv_lib_list_text(host), default_nv_lib_list());
    host.file("/etc/swrun/nvliblist.conf", "libcuda.so\n").file("/site/nvliblist.conf", "libsite.so\n");
    EXPECT_EQ(nv_lib_list_text(host), "libcuda.so\n");
    EXPECT_EQ(nv_lib_list_text(host, "/site"), "libsite.so\n");
}

TEST(ReadFileHead, WhatIsNoRegularFileIsEmpty) {
    EXPECT_EQ(read_file_head("/proc/self/exe").substr(0, 4),
              "\x7f"
              "ELF");
    EXPECT_EQ(read_file_head("/proc/self/exe").size(), 20U);
    EXPECT_EQ(read_file_head("/"), "");
    EXPECT_EQ(read_file_head("/no/such/file"), "");
}

}  // namespace
}  // namespace swrun
