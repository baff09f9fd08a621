//! What people do in a run: who, what and when.

use shop_events::OrderStatus;

use super::importing::Paper;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shopper {
    /// A customer, by number.
    Customer(usize),
    /// Somebody without a token.
    Guest,
    Administrator,
    /// Somebody with an account of the shop's own, by number: a guest until the log-in.
    Person(usize),
}

/// Somebody who registers. Several may want the same address.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) password: String,
}

/// A product to begin with.
#[derive(Clone, Debug)]
pub(crate) struct Ware {
    pub(crate) id: String,
    /// In cents.
    pub(crate) price: i64,
    pub(crate) stock: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    /// An order, by the operation that placed it.
    Order(usize),
    /// All of the own orders, page by page.
    OwnOrders,
    AllOrders,
    /// The own account.
    Me,
    /// A customer's statistics.
    Statistics(usize),
    Product(usize),
    Catalogue,
}

/// What only administrators may do with accounts.
#[derive(Clone, Debug)]
pub(crate) enum Governing {
    ListUsers,
    Promote(Shopper),
    Demote(Shopper),
    /// Becomes a customer.
    StepDown,
    /// Ends the session of the token.
    LogOut,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Place {
        /// Products by number, and how many of each.
        lines: Vec<(usize, u32)>,
        key: Option<String>,
        /// Whether the request says what it expects to pay.
        with_prices: bool,
    },
    /// Cancels the order that an operation placed.
    Cancel(usize),
    /// Ships or delivers the order that an operation placed.
    Send {
        order: usize,
        to: OrderStatus,
    },
    SetStock {
        product: usize,
        level: u64,
    },
    MoveStock {
        product: usize,
        delta: i64,
        key: Option<String>,
    },
    Reprice {
        product: usize,
        price: i64,
    },
    Delete(usize),
    Create(Ware),
    Look(Look),
    /// Registers the person who acts.
    Register {
        key: Option<String>,
    },
    LogIn,
    /// Renews the session; with a token that has been used before, if there is one and `used` asks for it.
    Refresh {
        used: bool,
    },
    Rename,
    /// Moves to another address, and back again the next time.
    ChangeAddress,
    ChangePassword,
    /// Logs out, and tries what is left of the token.
    LogOut,
    /// Does what only administrators may; with the first token that was ever held, if `use_old`.
    Govern {
        what: Governing,
        use_old: bool,
    },
    /// Deletes the account.
    Leave,
    /// Imports a file of products.
    Import(Paper),
    /// Exports the catalogue.
    Export {
        is_csv: bool,
    },
}

/// Something that somebody does at a time, in milliseconds after the opening.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) at: u64,
    pub(crate) who: Shopper,
    pub(crate) action: Action,
}

/// Everything that people do in a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) customers: usize,
    pub(crate) people: Vec<Person>,
    pub(crate) wares: Vec<Ware>,
    pub(crate) operations: Vec<Operation>,
    /// How long the shop is open, in milliseconds.
    pub(crate) open_for: u64,
    /// How many orders an account and the guests' address have in a window, where they are to meet the limits.
    pub(crate) limits: Option<(u32, u32)>,
}
