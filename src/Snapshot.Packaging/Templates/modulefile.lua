help([[Snapshot @VERSION@: checkpoint and restart of HPC codes by memory image]])
whatis("Name: snapshot")
whatis("Version: @VERSION@")

-- The folder into which the tarball was unpacked, which has this file in share/snapshot/modulefiles.
local root = pathJoin(myFileName():match("(.*/)"), "../../..")
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("LD_LIBRARY_PATH", pathJoin(root, "lib"))
prepend_path("LIBRARY_PATH", pathJoin(root, "lib"))
prepend_path("CPATH", pathJoin(root, "include"))
prepend_path("PKG_CONFIG_PATH", pathJoin(root, "lib/pkgconfig"))
prepend_path("CMAKE_PREFIX_PATH", root)
prepend_path("PYTHONPATH", pathJoin(root, "lib/python3"))
