//! The shop on one machine: the embedded cloud, and the gateway that serves it.
//!
//! The library knows no business rule. It takes the functions as values and the template as the only
//! wiring, so what runs here is what is deployed.

pub mod cloud;
pub mod demo;
pub mod demonstration;
pub mod gateway;
pub mod template;
