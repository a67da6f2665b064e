//! The text of an API key. Its form is known to the gateway too, so it stands in the kit.

pub(crate) use server::auth::KeyText;
