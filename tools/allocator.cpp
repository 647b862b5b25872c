// How jemalloc is set in the programs that embed the engine; an operator's MALLOC_CONF goes before it.

// What is made on one thread and freed on another passes through the threads' caches: they are tidied each MiB, not
// each 64 KiB, which is worth a twentieth more events a second.
extern "C" {
const char* malloc_conf = "tcache_gc_incr_bytes:1048576";
}
