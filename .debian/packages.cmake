# The Debian packages: libdfs1 (the library), libdfs-dev (what compiles against it), dfsd (daemon,
# dfsctl, units, man pages). An install rule names its package as its component; one that names none
# belongs to dfsd. They are made of a build of the preset `package`, whose paths are a package's:
#   cmake --preset package && cmake --build --preset package && (cd build/package && cpack)
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  return()
endif()

# Each package says on what terms it may be used, and what changed.
set(documents ${CMAKE_CURRENT_BINARY_DIR}/debian)
configure_file(.debian/changelog.in ${documents}/changelog @ONLY)
foreach(log changelog CHANGELOG)
  set(from ${documents}/changelog)
  set(to changelog.Debian.gz)
  if(log STREQUAL CHANGELOG)
    set(from ${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md)
    set(to changelog.gz)
  endif()
  add_custom_command(OUTPUT ${documents}/${to} COMMAND gzip -9nc ${from} > ${documents}/${to}
                     DEPENDS ${from} VERBATIM)
endforeach()
add_custom_target(debian_documents ALL
                  DEPENDS ${documents}/changelog.gz ${documents}/changelog.Debian.gz)
foreach(name libdfs1 libdfs-dev dfsd)
  set(doc ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name})
  install(FILES .debian/copyright ${documents}/changelog.gz ${documents}/changelog.Debian.gz
          DESTINATION ${doc} COMPONENT ${name})
endforeach()
install(FILES .debian/dfsd/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides
        RENAME dfsd COMPONENT dfsd)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dfs)
# Each package has a description of its own; its first line is the synopsis.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGE_VENDOR "The dfs authors")
set(CPACK_PACKAGE_CONTACT "The dfs authors <maintainers@dfs.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL libdfs1 libdfs-dev dfsd)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# What the programs are linked with, down to the versions of libraries whose symbols they need.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# libdfs1 is not installed where its dependents are packaged; it is found where it was put.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR}/libclient)
set(CPACK_DEBIAN_PACKAGE_PREDEPENDS "")

set(version ${PROJECT_VERSION}-1)

set(CPACK_DEBIAN_LIBDFS1_PACKAGE_NAME libdfs1)
set(CPACK_DEBIAN_LIBDFS1_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBDFS1_DESCRIPTION "key-value store shared by processes (library)
dfs is a key-value store that the processes of one machine share. They read
it straight from shared memory and change it through a daemon, which keeps
a log of JSON lines.

This package holds the library that programs are linked with.")
set(CPACK_DEBIAN_LIBDFS1_PACKAGE_RECOMMENDS "dfsd (= ${version})")
set(CPACK_DEBIAN_LIBDFS1_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/.debian/triggers)

set(CPACK_DEBIAN_LIBDFS-DEV_PACKAGE_NAME libdfs-dev)
set(CPACK_DEBIAN_LIBDFS-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBDFS-DEV_PACKAGE_DEPENDS "libdfs1 (= ${version})")
set(CPACK_DEBIAN_LIBDFS-DEV_PACKAGE_SUGGESTS "libboost-json1.81-dev")
set(CPACK_DEBIAN_LIBDFS-DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_COMPONENT_LIBDFS-DEV_DESCRIPTION "key-value store shared by processes (development files)
dfs is a key-value store that the processes of one machine share. They read
it straight from shared memory and change it through a daemon, which keeps
a log of JSON lines.

This package holds what programs in C++20 are compiled with: headers, which
need the standard library only, and files for CMake and pkg-config.")

set(CPACK_DEBIAN_DFSD_PACKAGE_NAME dfsd)
set(CPACK_DEBIAN_DFSD_PACKAGE_SECTION database)
set(CPACK_DEBIAN_DFSD_PACKAGE_DEPENDS
    "libdfs1 (= ${version}), debconf (>= 0.5) | debconf-2.0, passwd, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_COMPONENT_DFSD_DESCRIPTION "key-value store shared by processes (daemon and command line)
dfs is a key-value store that the processes of one machine share. They read
it straight from shared memory and change it through a daemon, which keeps
a log of JSON lines.

This package holds the daemon, dfsd, which is started by the first program
that opens a store or by systemd, and the command line, dfsctl.")
set(scripts)
foreach(script postinst prerm postrm templates)
  list(APPEND scripts ${CMAKE_CURRENT_SOURCE_DIR}/.debian/dfsd/${script})
endforeach()
set(CPACK_DEBIAN_DFSD_PACKAGE_CONTROL_EXTRA ${scripts})

include(CPack)
