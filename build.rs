//! Tells the linker where the finished program looks for DuckDB's library, so that nobody has to set
//! `LD_LIBRARY_PATH`: beside the program, in `deps/` (where cargo puts what it downloads), and in the folder
//! that was linked against.

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
