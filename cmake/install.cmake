# What is installed and packaged.  The man page and the completions are printed by the program itself, so that no second
# list of options exists.
if(NOT TARGET swrun)
  return()
endif()
option(SWRUN_DROPIN_NAMES "Install the names singularity, apptainer and run-singularity too" ON)

install(TARGETS swrun RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET swrun-tools)
  install(TARGETS swrun-tools RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/swrun)
endif()

# One executable, several names.
set(swrun_names singularity_wrapper apptainer_wrapper)
if(SWRUN_DROPIN_NAMES)
  list(APPEND swrun_names singularity apptainer run-singularity)
endif()
foreach(name ${swrun_names})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/names)
  file(CREATE_LINK swrun ${CMAKE_BINARY_DIR}/names/${name} SYMBOLIC)
  install(FILES ${CMAKE_BINARY_DIR}/names/${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

# The benchmark: Python, and what makes its default image, beside each other as in the checkout.
set(bench_home ${CMAKE_INSTALL_LIBEXECDIR}/swrun)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/scripts/bench.py ${CMAKE_SOURCE_DIR}/scripts/make_tree.sh
                 ${CMAKE_SOURCE_DIR}/tests/support/make_sif.py
        DESTINATION ${bench_home})
install(FILES ${CMAKE_SOURCE_DIR}/scripts/lib.sh DESTINATION ${bench_home})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/scripts/bench DESTINATION ${bench_home} FILES_MATCHING PATTERN "*.py"
        PATTERN "__pycache__" EXCLUDE)
file(RELATIVE_PATH bench_target ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBEXECDIR}/swrun/bench.py)
file(CREATE_LINK ${bench_target} ${CMAKE_BINARY_DIR}/names/swrun-bench SYMBOLIC)
install(FILES ${CMAKE_BINARY_DIR}/names/swrun-bench DESTINATION ${CMAKE_INSTALL_BINDIR})

set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
# swrun_prints(OUT DESTINATION arguments ...): what the program prints becomes an installed file.
function(swrun_prints out destination)
  add_custom_command(OUTPUT ${generated}/${out} DEPENDS swrun VERBATIM
                     COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:swrun> ${ARGN} > ${generated}/${out})
  set_property(GLOBAL APPEND PROPERTY swrun_printed ${generated}/${out})
  install(FILES ${generated}/${out} DESTINATION ${destination})
endfunction()
swrun_prints(swrun.1 ${CMAKE_INSTALL_MANDIR}/man1 man)
swrun_prints(swrun ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completion bash)
swrun_prints(_swrun ${CMAKE_INSTALL_DATADIR}/zsh/site-functions completion zsh)
swrun_prints(swrun.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completion fish)
get_property(printed GLOBAL PROPERTY swrun_printed)
add_custom_target(swrun_papers ALL DEPENDS ${printed})

# Examples, not configuration: without a site file the behaviour is the field's default.
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_SOURCE_DIR}/LICENSE
              ${CMAKE_SOURCE_DIR}/THIRD_PARTY_NOTICES ${CMAKE_SOURCE_DIR}/SECURITY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
foreach(example swrun.toml.example nvliblist.conf)
  if(EXISTS ${CMAKE_SOURCE_DIR}/share/${example})
    install(FILES ${CMAKE_SOURCE_DIR}/share/${example} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
  endif()
endforeach()

set(CPACK_PACKAGE_NAME swrun)
set(CPACK_PACKAGE_VENDOR "the swrun authors")
set(CPACK_PACKAGE_CONTACT "the swrun authors <swrun@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "swrun starts a program inside a Singularity or Apptainer image (SIF, squashfs, 2.x image, directory) as an ordinary
user, without setuid programs, daemons or an installed Singularity, and replaces itself by that program.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
find_program(RPMBUILD rpmbuild)
mark_as_advanced(RPMBUILD)
if(RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS bash-static)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fuse2fs, fuse-overlayfs, python3, squashfs-tools, strace, python3-matplotlib")
set(CPACK_RPM_PACKAGE_LICENSE BSD-3-Clause)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/share/man /usr/share/man/man1 /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh
    /usr/share/zsh/site-functions /usr/share/fish /usr/share/fish/vendor_completions.d /usr/libexec)
if(SWRUN_DROPIN_NAMES)
  set(CPACK_DEBIAN_PACKAGE_CONFLICTS "singularity-container, singularity-ce, apptainer")
  set(CPACK_RPM_PACKAGE_CONFLICTS "singularity, singularity-ce, apptainer")
endif()
include(CPack)
