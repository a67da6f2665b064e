//! The services whose events this one hears, as logs written by the real write path.

stage::neighbours! { Organization = "organization", Profile = "profile", Ticketing = "ticketing" }
