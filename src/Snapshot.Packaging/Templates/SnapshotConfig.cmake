# find_package(Snapshot) defines Snapshot::snapshot; Snapshot_FORTRAN_SOURCE is the source of the Fortran module, which a
# program compiles with its own compiler, and Snapshot_VELOC_SOURCE_DIR has the sources of VELOC's client calls.
get_filename_component(_snapshot_prefix "${CMAKE_CURRENT_LIST_DIR}/../../../@UP@" ABSOLUTE)

if(NOT TARGET Snapshot::snapshot)
    add_library(Snapshot::snapshot SHARED IMPORTED)
    set_target_properties(Snapshot::snapshot PROPERTIES
        IMPORTED_LOCATION "${_snapshot_prefix}/@LIBRARIES@/libsnapshot.so.0"
        IMPORTED_SONAME "libsnapshot.so.0"
        INTERFACE_INCLUDE_DIRECTORIES "${_snapshot_prefix}/include")
endif()

set(Snapshot_FORTRAN_SOURCE "${_snapshot_prefix}/share/snapshot/fortran/snapshot.F90")
set(Snapshot_VELOC_SOURCE_DIR "${_snapshot_prefix}/share/snapshot/veloc")
