//! Closed sets of values that are stored, told and shown under fixed names: those of the contract,
//! without their prefix.

/// Declares such sets: `codes! { /// Doc. pub enum Direction { /// From the customer. Inbound = "INBOUND" } }`.
macro_rules! codes {
    ($($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$value_doc:meta])* $value:ident = $code:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$value_doc])* #[serde(rename = $code)] $value),+ }

        impl $name {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The name under which the value is stored and told.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$value => $code),+ }
            }

            /// The value with this name.
            pub fn find(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$value),)+ _ => None }
            }
        }
    )+};
}
pub(crate) use codes;

codes! {
    /// How a customer and the business meet.
    pub enum Channel {
        /// Face to face, at a branch.
        InPerson = "IN_PERSON",
        /// By phone.
        Phone = "PHONE",
        /// By e-mail.
        Email = "EMAIL",
        /// On the web site.
        Web = "WEB",
        /// In the app.
        App = "APP",
        /// In a chat.
        Chat = "CHAT",
        /// By text message.
        Sms = "SMS",
        /// By letter.
        Post = "POST",
        /// By fax.
        Fax = "FAX",
        /// On a social network.
        Social = "SOCIAL",
        /// At a kiosk or by a code on the wall.
        Kiosk = "KIOSK",
        /// Handed on by someone else.
        Referral = "REFERRAL",
    }
}

impl Channel {
    /// Whether words are spoken there, so that nothing need be written to have been said.
    pub const fn is_spoken(self) -> bool {
        matches!(self, Self::InPerson | Self::Phone)
    }
}
