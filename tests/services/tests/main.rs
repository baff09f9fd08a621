//! Every test of the services, in one program: each program that holds them and the embedded cloud is 90 megabytes,
//! and takes seconds to link. Two tests of what is logged are programs of their own, in `one-log`.

mod accounts;
mod emails;
mod orders;
mod repair;
mod sales;
mod search;
mod statistics;

// A file is a module by lying here.
automod::dir!("tests");
