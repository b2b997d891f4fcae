# find_package(Snapshot) defines Snapshot::snapshot; Snapshot_FORTRAN_SOURCE is the source of the Fortran module, which a
# program compiles with its own compiler, and Snapshot_VELOC_SOURCE_DIR has the sources of VELOC's client calls.
#
# Snapshot::mpi is for the ranks of an MPI job, beside MPI::MPI_C of find_package(MPI): it has two sources in C, which are
# compiled with the program. Snapshot_FORTRAN_MPI_SOURCE is the module for them, to be compiled with the other one.
get_filename_component(_snapshot_prefix "${CMAKE_CURRENT_LIST_DIR}/../../../@UP@" ABSOLUTE)

if(NOT TARGET Snapshot::snapshot)
    add_library(Snapshot::snapshot SHARED IMPORTED)
    set_target_properties(Snapshot::snapshot PROPERTIES
        IMPORTED_LOCATION "${_snapshot_prefix}/@LIBRARIES@/libsnapshot.so.0"
        IMPORTED_SONAME "libsnapshot.so.0"
        INTERFACE_INCLUDE_DIRECTORIES "${_snapshot_prefix}/include")
endif()

set(Snapshot_MPI_SOURCE_DIR "${_snapshot_prefix}/share/snapshot/mpi")
if(NOT TARGET Snapshot::mpi)
    add_library(Snapshot::mpi INTERFACE IMPORTED)
    set_target_properties(Snapshot::mpi PROPERTIES
        INTERFACE_SOURCES "${Snapshot_MPI_SOURCE_DIR}/snapshot_mpi.c;${Snapshot_MPI_SOURCE_DIR}/calls.c"
        INTERFACE_LINK_LIBRARIES Snapshot::snapshot)
endif()

set(Snapshot_FORTRAN_SOURCE "${_snapshot_prefix}/share/snapshot/fortran/snapshot.F90")
set(Snapshot_FORTRAN_MPI_SOURCE "${_snapshot_prefix}/share/snapshot/fortran/snapshot_mpi.F90")
set(Snapshot_VELOC_SOURCE_DIR "${_snapshot_prefix}/share/snapshot/veloc")
