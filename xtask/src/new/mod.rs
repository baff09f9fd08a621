//! `cargo xtask new`: the skeleton of a route, a consumer or a service, in all the places that do not follow from
//! others; what follows is written by `cargo xtask sync` (docs/adding.md).
//!
//! A skeleton does something small that works, and every test passes with it. It is written once: from then on it is
//! code like any other.

mod change;
mod consumer;
mod fixture;
mod name;
mod place;
mod registry;
mod rename;
mod route;
mod service;
mod stanza;
mod text;
mod tree;

use anyhow::Result;
use clap::Subcommand;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;
use crate::sync;
use registry::Home;
use tree::Tree;

#[derive(Debug, Subcommand)]
pub(crate) enum New {
    /// A service: a table, the routes that create and show its items, an event, and the relay that publishes it
    Service {
        /// Its name, a plural: wishlists
        name: String,
        /// What it has many of; without, the name without its last letter
        #[arg(long)]
        item: Option<String>,
    },
    /// A route that shows one item of its service (GET), or keeps or drops a note on it (POST, PUT, PATCH, DELETE)
    Route {
        /// The service
        service: String,
        /// GET, POST, PUT, PATCH or DELETE
        method: String,
        /// Where it answers, with {id} for the item's id: /wishlists/{id}/summary
        path: String,
        /// verb-noun: get-wishlist-summary
        name: String,
        /// The folder of the service that it belongs to, where that is split by subject: accounts
        #[arg(long)]
        subject: Option<String>,
    },
    /// A consumer that notes each event once, in a table of its own
    Consumer {
        /// The service
        service: String,
        /// verb-noun: note-orders
        name: String,
        /// The types of events that it is sent
        #[arg(long, value_delimiter = ',', required = true)]
        events: Vec<String>,
        /// The folder of the service that it belongs to, where that is split by subject: statistics
        #[arg(long)]
        subject: Option<String>,
    },
}

/// Writes a skeleton, formats it, and writes what follows from it.
///
/// # Errors
/// A name is taken or is none, a file is not as it is expected, or what follows cannot be written. Nothing of the
/// skeleton is written then, unless that is the last step.
pub(crate) fn new(project: &Project, wanted: &New) -> Result<()> {
    let mut tree = Tree::new(project.root());
    match wanted {
        New::Service { name, item } => service::add(&mut tree, name, item.as_deref())?,
        New::Route { service, method, path, name, subject } => {
            route::add(&mut tree, &Home::parse(service, subject.as_deref())?, method, path, name)?;
        }
        New::Consumer { service, name, events, subject } => {
            consumer::add(&mut tree, &Home::parse(service, subject.as_deref())?, name, events)?;
        }
    }
    for path in tree.write()? {
        println!("{path}");
    }
    process::run(cargo(project).args(["fmt", "--all"]))?;
    sync::sync(project, false)
}
