//! The allocator of every program that links the kit. A call makes some hundred small, short-lived allocations: with the
//! allocator of glibc they were a third of the processor time of a service (docs/benchmarks.md).

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
