//! The acts of the story, one after the other. Each goes on only when what it needs is really there.

mod aftercare;
mod buying;
mod complaint;
mod opening;

use proto::karibu::gateway::v1::CustomerOverview;

use super::Telling;

/// Calls the gateway, patiently, and tells what came of it.
macro_rules! call {
    ($telling:expr, $service:ident.$method:ident, $request:expr, |$reply:ident| $gist:expr) => {{
        let request = $request;
        let client = $telling.client.$service();
        let $reply = client::patiently(crate::story::PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.$method(request).await }
        })
        .await
        .with_context(|| concat!(stringify!($service), ".", stringify!($method)))?
        .into_inner();
        let name = concat!(stringify!($service), ".", stringify!($method));
        $telling.lines.add(name, &$reply);
        $telling.narrator.call(name, AsRef::<str>::as_ref(&$gist));
        $reply
    }};
}

/// The part of an answer that must be there.
macro_rules! part {
    ($answer:expr, $field:ident) => {
        $answer.$field.context(concat!("the answer has no ", stringify!($field)))?
    };
}

use {call, part};

/// The branches in which the story takes place.
pub(super) struct Branches {
    pub(super) kimironko: String,
    pub(super) nyamirambo: String,
    pub(super) london: String,
}

impl Telling<'_> {
    pub(super) async fn play(&mut self, address: &str) -> anyhow::Result<CustomerOverview> {
        let branches = self.open_business().await?;
        let customer = self.meet_customer(&branches).await?;
        self.sell(&branches, &customer).await?;
        let complaint = self.hear_complaint(&branches, &customer).await?;
        let complaint = self.solve(&customer, complaint).await?;
        self.follow_up(complaint).await?;
        self.ask_for_feedback(address, &customer).await?;
        self.look_at_everything(&customer).await
    }
}
