// Parsing makes many small values on several threads, which the C library's allocator slows down. Huge pages are left out:
// most commands use little of each, and all must be filled.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rbt::cli::main()
}
