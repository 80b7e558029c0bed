# What is installed of the client library: libdfs.so, its headers, find_package(dfs) and pkg-config.
# Included by libclient/CMakeLists.txt behind the shared library `dfs`. A component is a Debian package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Only what the public headers declare comes out: their namespace is marked visible (dfs/export.hpp),
# and dfs.map drops the rest, among it templates of Boost that another Boost in the same process
# would otherwise get mixed up with.
set_target_properties(dfs PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/dfs.map)
target_link_options(dfs PRIVATE LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/dfs.map)
if(NOT DFS_SANITIZE)
  target_link_options(dfs PRIVATE LINKER:-z,defs)
endif()
target_compile_features(dfs INTERFACE cxx_std_20)
target_include_directories(dfs INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
if(NOT TARGET dfs::dfs)
  add_library(dfs::dfs ALIAS dfs)
endif()

install(TARGETS dfs EXPORT dfs LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT libdfs1 NAMELINK_COMPONENT libdfs-dev)
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/dfs
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libdfs-dev FILES_MATCHING PATTERN *.hpp)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/dfs)
install(EXPORT dfs NAMESPACE dfs:: FILE dfs-targets.cmake DESTINATION ${package}
  COMPONENT libdfs-dev)
configure_package_config_file(${CMAKE_CURRENT_SOURCE_DIR}/dfs-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/dfs-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/dfs-config-version.cmake
  COMPATIBILITY SameMajorVersion)
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/dfs.pc.in ${CMAKE_CURRENT_BINARY_DIR}/dfs.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dfs-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/dfs-config-version.cmake DESTINATION ${package}
  COMPONENT libdfs-dev)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dfs.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT libdfs-dev)
