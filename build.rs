//! Writes into the finished program where it looks for DuckDB's library, which it loads when it first opens a database, so
//! that nobody has to set `LD_LIBRARY_PATH`: beside the program, in `deps/` (where cargo puts what it downloads), and in the folder
//! that it was built with.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-env-changed=DUCKDB_DOWNLOAD_LIB");
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let origin = match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("windows") => return,
        Ok("macos") => "@loader_path",
        _ => "$ORIGIN",
    };
    if origin == "@loader_path" {
        // On Linux, rustc itself has the linker leave out libraries of which nothing is wanted.
        println!("cargo:rustc-link-arg=-Wl,-dead_strip_dylibs");
    }
    for folder in [origin.to_owned(), format!("{origin}/deps"), format!("{origin}/..")] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    match env::var("DUCKDB_LIB_DIR") {
        Ok(folder) => println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}"),
        Err(_) if env::var_os("DUCKDB_DOWNLOAD_LIB").is_some() => {}
        Err(_) => println!(
            "cargo:warning=DUCKDB_LIB_DIR is not set: linking the system's libduckdb. \
             `scripts/with-duckdb cargo …` fetches the official one"
        ),
    }
}
