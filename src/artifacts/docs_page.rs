//! The web page of the documentation: one file that needs nothing from elsewhere.

use std::path::Path;

use super::write_text;
use crate::error::{Error, Result};

const PAGE: &str = include_str!("../../web/docs/index.html");
const STYLE: &str = include_str!("../../web/docs/style.css");
const SCRIPT: [&str; 2] = [include_str!("../../web/docs/lineage.js"), include_str!("../../web/docs/app.js")];

/// The page that fetches `manifest.json` and `catalog.json` from beside it.
pub fn docs_page() -> String {
    PAGE.replace("/* STYLE */", STYLE).replace("/* SCRIPT */", &SCRIPT.concat())
}

/// Writes `index.html` into the folder of artifacts; with `inline`, `static_index.html` as well, which holds the
/// artifacts themselves and can be opened from a disk.
pub fn write_docs_page(target: &Path, inline: bool) -> Result<()> {
    let page = docs_page();
    write_text(&target.join("index.html"), &page)?;
    if !inline {
        return Ok(());
    }
    let artifact = |name: &str| -> Result<String> {
        let path = target.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, &error))?;
        // Nothing in the data may end the script that holds it.
        Ok(text.replace("</", "<\\/").replace("<!--", "<\\!--"))
    };
    let data =
        format!("{{ manifest: {}, catalog: {} }}", artifact("manifest.json")?, artifact("catalog.json")?);
    write_text(
        &target.join("static_index.html"),
        &page.replacen("{ manifest: null, catalog: null }", &data, 1),
    )
}
