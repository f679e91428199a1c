//! The outbox: who is told of alerts, what waits to be told, and what became of it.
//!
//! A message is written in the transaction of the alert that it tells, so neither is there without the other, also
//! after `kill -9`. The [`Courier`] carries what waits, in order for each recipient, and tries again until it arrives
//! or is given up; nothing goes without its fate being written. The ways out are a port, [`Carrier`].

mod courier;
mod delivery;
mod message;
mod recipient;

pub use courier::{Carried, Carrier, Courier, Undelivered};
pub(crate) use delivery::queue;
pub use delivery::{Delivery, DeliveryState, ToldOf, WAITING_MAX, What, list as deliveries, test};
pub use message::{Parcel, REHEARSAL};
pub use recipient::{
    Address, Channel, Language, Recipient, RecipientFacts, TellOf, get as recipient, list as recipients,
    put as put_recipient, remove as remove_recipient, tests,
};
