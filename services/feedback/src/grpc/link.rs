//! Tokens of survey links: the id of an invitation and 128 bits of an HMAC-SHA-256 over it. Nothing of a token is stored;
//! whoever does not have the secret cannot make one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Keeps these tokens apart from all others that may be made under the same secret.
const PURPOSE: &[u8] = b"karibu survey link v1";
/// Bytes of the code in a token: 128 bits.
const CODE_BYTES: usize = 16;

/// Makes and checks tokens.
#[derive(Clone)]
pub(crate) struct Links(Hmac<Sha256>);

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links(..)")
    }
}

impl Links {
    /// Links under this secret.
    pub(crate) fn new(secret: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(Hmac::new_from_slice(secret)?.chain_update(PURPOSE)))
    }

    /// The token of an invitation: always the same one.
    pub(crate) fn token(&self, invitation: Uuid) -> String {
        let code = self.code(invitation).finalize().into_bytes();
        let mut bytes = invitation.as_bytes().to_vec();
        bytes.extend(code.iter().take(CODE_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The invitation that a token leads to; `None` for anything but a token made here. Takes the same time for every
    /// false code.
    pub(crate) fn read(&self, token: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, code) = bytes.split_first_chunk::<16>()?;
        let id = Uuid::from_bytes(*id);
        (code.len() == CODE_BYTES).then_some(())?;
        self.code(id).verify_truncated_left(code).ok()?;
        Some(id)
    }

    fn code(&self, invitation: Uuid) -> Hmac<Sha256> {
        self.0.clone().chain_update(invitation.as_bytes())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_invitation_and_only_under_its_secret() {
        let (ours, theirs) = (Links::new(&[1; 32]).unwrap(), Links::new(&[2; 32]).unwrap());
        let id = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        let token = ours.token(id);
        assert_eq!((ours.read(&token), theirs.read(&token)), (Some(id), None));
        assert_eq!(token, ours.token(id));
        assert_ne!(token, ours.token(Uuid::from_u128(1)));
        assert_eq!(token.len(), 43);
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let links = Links::new(&[1; 32]).unwrap();
        let token = links.token(Uuid::from_u128(7));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(links.read(&URL_SAFE_NO_PAD.encode(broken)), None, "bit {bit}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        for wrong in [&bytes[..16], &bytes[..31], &longer, &[]] {
            assert_eq!(links.read(&URL_SAFE_NO_PAD.encode(wrong)), None);
        }
        assert_eq!(links.read("not base64 at all!"), None);
    }
}
