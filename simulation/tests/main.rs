//! Every test of the simulation from without, in one program: each that holds the shop is 90 megabytes.

// A file is a module by lying here.
automod::dir!("tests");
