//! Every test of the template, in one program: each that holds all services takes seconds to link.

// A file is a module by lying here.
automod::dir!("tests");
