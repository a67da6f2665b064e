//! The secret under which links are made, for installations that give none in the settings. Made once, kept for ever.

use uuid::Uuid;

/// The id of the only row.
pub const LINK_SECRET_ID: Uuid = Uuid::from_u128(1);

/// The secret of all links.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret {
    /// 256 random bits.
    pub secret: [u8; 32],
    /// Version of this record; not stored, nobody outside sees it.
    pub version: i64,
}

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSecret(..)")
    }
}
