//! The handlers of `SearchService`.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::search_service_server::SearchService;
use proto::karibu::types::v1::KeyCount;
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{instant, maybe_id, optional_text};
use super::service::{open, store};
use super::wire as to;
use crate::domain::{BranchId, CaseFile};
use crate::store::Span;
use crate::store::search::{Found, Wanted, place_of};

/// Complaints of an export that are read in one go.
const EXPORT_PAGE: i64 = 200;

fn counts(found: &[Found], key: impl Fn(&Found) -> &str) -> Vec<KeyCount> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for part in found {
        *counts.entry(key(part)).or_default() += part.number;
    }
    counts.into_iter().map(|(key, count)| KeyCount { key: key.to_owned(), count }).collect()
}

impl Api {
    /// What to find; a branch stands for all that is below it.
    async fn wanted(&self, query: Option<wire::ComplaintQuery>) -> Result<Wanted, Status> {
        let query = query.unwrap_or_default();
        let branches = match maybe_id::<BranchId>(&query.branch_id) {
            Some(branch) => Some(self.reads.rules().await.map_err(store)?.below(branch)),
            None => None,
        };
        let read = |states: &[i32]| states.iter().filter_map(|state| Coded::read(*state)).collect();
        Ok(Wanted {
            branches,
            states: read(&query.states),
            customer: maybe_id(&query.customer_id),
            owner: maybe_id(&query.owner_staff_id),
            severities: query.severities.iter().filter_map(|value| Coded::read(*value)).collect(),
            sla_states: query.sla_states.iter().filter_map(|value| Coded::read(*value)).collect(),
            opened: Some(Span::new(instant(query.open_start_time.as_ref()), instant(query.open_end_time.as_ref()))),
            words: query.words,
            category: optional_text(query.category_code),
            cause: optional_text(query.cause_code),
        })
    }
}

#[tonic::async_trait]
impl SearchService for Api {
    async fn search_complaints(
        &self,
        request: Request<wire::SearchComplaintsRequest>,
    ) -> Result<Response<wire::SearchComplaintsResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("search", size, &token, &body)?;
        let wanted = self.wanted(body.query).await?;
        let found = self.reads.search(&wanted, &call.principal.scope, &page).await.map_err(store)?;
        let complaints = found.items.iter().map(to::complaint).collect();
        Ok(Response::new(wire::SearchComplaintsResponse { complaints, next_page_token: found.next }))
    }

    async fn count_complaints(
        &self,
        request: Request<wire::CountComplaintsRequest>,
    ) -> Result<Response<wire::CountComplaintsResponse>, Status> {
        let (body, call) = open(request)?;
        let wanted = self.wanted(body.query).await?;
        let found = self.reads.count_found(&wanted, &call.principal.scope).await.map_err(store)?;
        Ok(Response::new(wire::CountComplaintsResponse {
            total: found.iter().map(|part| part.number).sum(),
            by_state: counts(&found, |part| &part.state),
            by_severity: counts(&found, |part| &part.severity),
            by_sla_state: counts(&found, |part| &part.sla_state),
        }))
    }

    type ExportComplaintsStream = Pin<Box<dyn Stream<Item = Result<wire::ExportComplaintsResponse, Status>> + Send>>;

    async fn export_complaints(
        &self,
        request: Request<wire::ExportComplaintsRequest>,
    ) -> Result<Response<Self::ExportComplaintsStream>, Status> {
        let (body, call) = open(request)?;
        let wanted = self.wanted(body.query).await?;
        let (reads, scope) = (self.reads.clone(), call.principal.scope.clone());
        // One page is read when the one before was sent; each asks anew what the caller may see.
        let pages = stream::try_unfold(Some(None), move |after| {
            let (reads, wanted, scope) = (reads.clone(), wanted.clone(), scope.clone());
            async move {
                let Some(after) = after else { return Ok(None) };
                let found = reads.search_after(&wanted, &scope, after, EXPORT_PAGE).await.map_err(store)?;
                let next = found.last().map(|last| Some(place_of(last)));
                let files = reads.with_follow_ups(found, &scope).await.map_err(store)?;
                Ok::<_, Status>(Some((files, next)))
            }
        });
        let each = pages.map_ok(|files: Vec<CaseFile>| stream::iter(files).map(Ok)).try_flatten();
        let each = each.map_ok(|file| wire::ExportComplaintsResponse { complaint: Some(to::complaint(&file)) });
        Ok(Response::new(Box::pin(each)))
    }
}
