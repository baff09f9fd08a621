//! Every test of the embedded cloud and of the `shop` program from without, in one program: each that holds the shop
//! is 90 megabytes, and takes seconds to link.

mod support;
mod toy;

// A file is a module by lying here.
automod::dir!("tests");
