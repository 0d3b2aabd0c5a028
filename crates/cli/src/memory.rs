//! Keeping of memory: the one place with code that the compiler cannot check.

/// Has all threads share one heap. By default the C library gives every thread its own, and what the threads of a run let
/// go of is of no use to the one that judges it: with hundreds of pods that is a fifth of all that is held.
///
/// To be called before any other thread is there.
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "mallopt is a function of the C library")]
pub fn share_one_heap() {
    // SAFETY: it takes two numbers, changes a setting of the allocator and nothing else, and no other thread exists that
    // could allocate meanwhile. When it does not work, memory is kept as before.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other C libraries have one heap.
#[cfg(not(target_env = "gnu"))]
pub fn share_one_heap() {}
