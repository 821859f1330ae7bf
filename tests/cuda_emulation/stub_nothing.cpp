// A libcublasLt.so.13 that has nothing in it.
