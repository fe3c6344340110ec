//! rbt as people use it: the program is started on small projects, and what it leaves behind is looked at.
//! All of it is one test binary, which is linked once.

mod support;

mod data_tests;
mod hooks;
mod incremental;
mod materializations;
mod seeds;
mod snapshots;
mod unit_tests;
