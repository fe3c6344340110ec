// Parsing makes many small values on several threads, which the C library's allocator slows down.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rbt::cli::main()
}
