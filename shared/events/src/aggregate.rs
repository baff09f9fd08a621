//! What the data of every event can say.

/// What an event is about. Its text is the envelope's `subject` and the first part of the event's id.
pub(crate) trait Aggregate {
    /// The id of the thing whose version the event's `sequence` is.
    fn aggregate(&self) -> String;

    /// The order whose story it is part of; where there is none, the product or the user.
    fn story(&self) -> String {
        self.aggregate()
    }
}
