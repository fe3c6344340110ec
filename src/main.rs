fn main() -> std::process::ExitCode {
    rbt::cli::main()
}
