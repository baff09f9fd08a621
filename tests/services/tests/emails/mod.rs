//! The emails service alone, over SES as the embedded cloud plays it: what is written to whom, and how often.

mod feedback;
mod listing;
mod outages;
mod sending;
mod stage;
