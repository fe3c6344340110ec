//! rbt as people use it: the program is started on small projects, and what it leaves behind is looked at.
//! All of it is one test binary, which is linked once.

mod support;

mod artifacts;
mod attached;
mod broken;
mod cache;
mod commands;
mod context;
mod data_tests;
mod docs;
mod errors;
mod extract;
mod freshness;
mod hooks;
mod incremental;
mod init;
mod languages;
mod logs;
mod materializations;
mod names;
mod nothing_lost;
mod one_scan;
mod package_contents;
mod packages;
mod promises;
mod query_comment;
mod seeds;
mod selection;
mod semantic;
mod snapshots;
mod spotify;
mod sql_text;
mod state;
mod tools;
mod unit_tests;
