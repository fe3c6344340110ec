//! Documentation: `{% docs %}` blocks (<https://docs.getdbt.com/docs/build/documentation#using-docs-blocks>).

use indexmap::IndexMap;

use super::stages::ProjectFile;
use super::yaml_resources::duplicate;
use crate::error::{Error, Result};
use crate::jinja::blocks::{self, BlockKind};
use crate::manifest::{Doc, Id, ResourceType};

/// All `{% docs %}` blocks.
pub fn documentation(files: &[ProjectFile]) -> Result<IndexMap<Id, Doc>> {
    let overview = overview();
    let mut docs = IndexMap::from([(overview.unique_id.clone(), overview)]);
    let mut errors = Vec::new();
    for (project, file) in files {
        let path = file.original_file_path();
        let blocks = match blocks::split(&file.contents, path.as_ref()) {
            Ok(blocks) => blocks,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for block in blocks.into_iter().filter(|block| block.kind == BlockKind::Docs) {
            let id: Id = format!("doc.{}.{}", project.name, block.name).into();
            let doc = Doc {
                name: block.name.clone(),
                resource_type: "doc",
                package_name: project.name.as_str().into(),
                path: file.relative_path.clone(),
                original_file_path: path.clone(),
                unique_id: id.clone(),
                block_contents: block.contents.trim().to_owned(),
            };
            if let Some(first) = docs.insert(id, doc) {
                errors.push(duplicate(ResourceType::Doc, &block.name, &first.original_file_path, &path));
            }
        }
    }
    Error::many(errors).map_or(Ok(docs), Err)
}

/// What documentation shows first where a project has no overview of its own.
fn overview() -> Doc {
    Doc {
        name: "__overview__".to_owned(),
        resource_type: "doc",
        package_name: "dbt".into(),
        path: "overview.md".to_owned(),
        original_file_path: "docs/overview.md".to_owned(),
        unique_id: "doc.dbt.__overview__".into(),
        block_contents: include_str!("overview.md").trim().to_owned(),
    }
}
