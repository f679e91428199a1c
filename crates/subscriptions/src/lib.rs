//! Subscriptions: who hears of which changes (ETSI GS CIM 009, 5.2.12 to 5.2.15 and 5.8).
//!
//! A change is matched through an index, not against every subscription. What matches is delivered by a lane for each
//! subscription: in order, with retries, and from the durable change log where a lane falls behind or the server was
//! restarted. So an accepted change is told at least once, or counted: as given up, as withheld because the owner of the
//! subscription may not read it any more, or as missed because the log no longer has it. None is lost silently.

mod compiled;
mod delivery;
mod events;
mod index;
mod lane;
mod notification;
mod notifier;
mod owner;
mod parse;
mod service;
mod subscription;
mod type_names;
mod wire;

pub use compiled::Compiled;
pub use delivery::{Delivery, DeliveryFuture, NotificationSink};
pub use events::{AttributeEvent, attribute_events, is_triggered};
pub use index::SubscriptionIndex;
pub use notification::{Told, delivery};
pub use notifier::Notifier;
pub use owner::{Owner, Rights, Standing};
pub use parse::{SubscriptionFragment, parse_subscription_fragment};
pub use service::{Subscriptions, Tally};
pub use subscription::{
    Accept, ContextualText, Endpoint, EntitySelector, KeyValue, NotificationFormat, NotificationJoin,
    NotificationSettings, Subscription, SubscriptionStatus, Trigger,
};
pub use type_names::{compact_types, expand_types, names_in};
pub use wire::subscription_to_json;

#[cfg(test)]
mod tests;
