//! Names of campaigns, items and raters: random, so that none tells anything.

use serde::{Deserialize, Serialize};

use crate::random_hex;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A name that nothing else has.
            pub(crate) fn random() -> Self {
                Self(random_hex::<16>())
            }

            /// The name that a form or an address has; whether it names anything is told where it is looked up.
            pub fn of(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

random_id! {
    /// Names a campaign.
    CampaignId
}
random_id! {
    /// Names an item of a campaign.
    ItemId
}
random_id! {
    /// Names a rater without saying who it is.
    RaterId
}
