//! Regenerates the sample data of the reference project, byte for byte: `cargo run --release --example sample_data`.

use std::path::Path;

fn main() -> rbt::error::Result<()> {
    rbt::extract::sandbox::sample::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("project/data/raw"))
}
