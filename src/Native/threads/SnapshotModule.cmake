# Native modules in CMake:
#
#   include(/path/to/SnapshotModule.cmake)
#   snapshot_module(NAME SOURCES file… [BASE n] [NO_RUNTIME] [NO_CHECK])
#
# adds the shared library target NAME, compiled and linked as the contract of native modules asks for (docs/NATIVE.md). The flags
# are those of the command snapshot-cc beside this file. BASE is the address at which it is linked, 0 to 127; by default a
# hash of the library's name. NO_RUNTIME links neither libsnapshot_threads.so nor the shim, which are otherwise taken from the
# variable SNAPSHOT_MODULE_DIR, the environment variable of that name, or the directory of this file. After it is linked, the
# command checks the library and writes its note, for which it needs dotnet; NO_CHECK leaves that to the process that loads it.

set(SNAPSHOT_MODULE_COMMAND "${CMAKE_CURRENT_LIST_DIR}/snapshot-cc")
set(SNAPSHOT_MODULE_NOTE "${CMAKE_CURRENT_LIST_DIR}/snapshot_note.s")

function(snapshot_module name)
    cmake_parse_arguments(PARSE_ARGV 1 module "NO_RUNTIME;NO_CHECK" "BASE" "SOURCES")
    if(module_UNPARSED_ARGUMENTS OR module_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "snapshot_module(${name}): not understood: ${module_UNPARSED_ARGUMENTS} "
            "${module_KEYWORDS_MISSING_VALUES}. Write snapshot_module(NAME SOURCES file… [BASE n] [NO_RUNTIME] "
            "[NO_CHECK]).")
    endif()
    if(NOT module_SOURCES)
        message(FATAL_ERROR "snapshot_module(${name}): SOURCES is missing.")
    endif()

    set(options "")
    if(DEFINED module_BASE)
        list(APPEND options --base ${module_BASE})
    endif()
    if(module_NO_RUNTIME)
        list(APPEND options --no-runtime)
    endif()
    if(module_NO_CHECK)
        list(APPEND options --no-check)
    endif()
    set(library "${CMAKE_SHARED_LIBRARY_PREFIX}${name}${CMAKE_SHARED_LIBRARY_SUFFIX}")
    snapshot_module_flags(compile ${options} --print-flags=compile ${library})
    snapshot_module_flags(link ${options} --print-flags=link ${library})
    list(REMOVE_ITEM link -shared -x assembler none "${SNAPSHOT_MODULE_NOTE}")

    # The runtime goes behind the objects, since an archive is searched when it is come to.
    set(at_runtime "^-L|^-lsnapshot_threads$|/libsnapshot_threads_shim\\.a")
    set(runtime ${link})
    list(FILTER runtime INCLUDE REGEX "${at_runtime}")
    list(FILTER link EXCLUDE REGEX "${at_runtime}")

    # The command says these for C and C++; they are nothing to Fortran.
    set(c_only -fno-gnu-unique -D__NO_CTYPE)
    list(REMOVE_ITEM compile ${c_only})
    add_library(${name} SHARED ${module_SOURCES})
    target_compile_options(${name} PRIVATE ${compile} "$<$<COMPILE_LANGUAGE:C,CXX>:${c_only}>")
    target_link_options(${name} PRIVATE ${link})
    target_link_libraries(${name} PRIVATE ${runtime})
    if(NOT module_NO_CHECK)
        target_link_options(${name} PRIVATE "SHELL:-x assembler \"${SNAPSHOT_MODULE_NOTE}\" -x none")
        add_custom_command(TARGET ${name} POST_BUILD
            COMMAND sh "${SNAPSHOT_MODULE_COMMAND}" stamp --or-delete "$<TARGET_FILE:${name}>" VERBATIM)
    endif()
endfunction()

# What the command prints, as a list in the variable `result` of the caller.
function(snapshot_module_flags result)
    set(command sh "${SNAPSHOT_MODULE_COMMAND}" ${ARGN})
    if(DEFINED SNAPSHOT_MODULE_DIR)
        list(PREPEND command "${CMAKE_COMMAND}" -E env "SNAPSHOT_MODULE_DIR=${SNAPSHOT_MODULE_DIR}")
    endif()
    execute_process(COMMAND ${command}
        OUTPUT_VARIABLE flags ERROR_VARIABLE error RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed)
        message(FATAL_ERROR "${error}")
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
    set(${result} ${flags} PARENT_SCOPE)
endfunction()
