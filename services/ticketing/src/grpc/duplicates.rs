//! The handlers of `DuplicateService`, one per method.

use kernel::DAY_US;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::duplicate_service_server::DuplicateService;
use server::auth::Principal;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

use super::Api;
use super::decode::{case, id, required};
use super::service::{open, store};
use super::wire as to;
use crate::domain::complaint::Complaint;
use crate::domain::merge::{CANDIDATE_SCORE, WINDOW_DAYS, check, likeness};
use crate::domain::verbs::{LinkComplaints, MergeComplaint, UndoMerge};
use crate::domain::{CaseFile, ComplaintId, Refusal};
use crate::error::refused_by;
use crate::store::{ComplaintFilter, Span};

/// Complaints that are looked at for each way in which they could belong together.
const LOOK_AT: i32 = 200;
/// Most candidates shown.
const MOST_CANDIDATES: usize = 20;

/// A likeness, which is at most a thousand.
fn permille(likeness: i64) -> i32 {
    i32::try_from(likeness).unwrap_or(i32::MAX)
}

impl Api {
    async fn seen(&self, complaint: ComplaintId, principal: &Principal) -> Result<Complaint, Status> {
        let found = self.reads.find_complaint(complaint, &principal.scope).await.map_err(store)?;
        found.ok_or_else(|| refused_by(&Refusal::ComplaintNotFound))
    }
}

#[tonic::async_trait]
impl DuplicateService for Api {
    async fn find_duplicates(
        &self,
        request: Request<wire::FindDuplicatesRequest>,
    ) -> Result<Response<wire::FindDuplicatesResponse>, Status> {
        let (body, call) = open(request)?;
        let complaint = self.seen(id(&body.complaint_id), &call.principal).await?;
        let page = call.pages.read("duplicates", LOOK_AT, "", &body)?;
        let (from_us, to_us) =
            (complaint.opened_at_us - WINDOW_DAYS * DAY_US, complaint.opened_at_us + WINDOW_DAYS * DAY_US);
        let opened = Span::new(Some(from_us), Some(to_us));
        let (states, branch) = (Vec::new(), Some(complaint.branch));
        let of_branch = ComplaintFilter { states, branch, customer: None, owner: None, opened };
        let of_customer = ComplaintFilter { branch: None, customer: complaint.customer, ..of_branch.clone() };
        let mut found: Vec<(i64, CaseFile)> = Vec::new();
        for filter in [complaint.customer.map(|_| of_customer), Some(of_branch)].into_iter().flatten() {
            let list = self.reads.list_complaints(&filter, &call.principal.scope, &page).await.map_err(store)?;
            for file in list.items {
                let other = &file.complaint;
                let known = found.iter().any(|(_, known)| known.complaint.id == other.id);
                let score = likeness(&complaint, other);
                if other.id != complaint.id && !known && !other.state.is_over() && score >= CANDIDATE_SCORE {
                    found.push((score, file));
                }
            }
        }
        found.sort_by_key(|(score, file)| (-*score, file.complaint.id.uuid()));
        let candidates = found.iter().take(MOST_CANDIDATES).map(|(score, file)| wire::DuplicateCandidate {
            complaint: Some(to::complaint(file)),
            likeness_permille: permille(*score),
        });
        Ok(Response::new(wire::FindDuplicatesResponse { candidates: candidates.collect() }))
    }

    async fn preview_merge(
        &self,
        request: Request<wire::PreviewMergeRequest>,
    ) -> Result<Response<wire::PreviewMergeResponse>, Status> {
        let (body, call) = open(request)?;
        let loser = self.seen(id(&body.complaint_id), &call.principal).await?;
        let winner = self.seen(id(&body.into_complaint_id), &call.principal).await?;
        let refusal = check(&loser, &winner).err().map(|refusal| refused_by(&refusal));
        let reason = refusal.as_ref().and_then(StatusExt::get_details_error_info).map(|info| info.reason);
        Ok(Response::new(wire::PreviewMergeResponse {
            possible: refusal.is_none() && loser.state.is_open(),
            reason: reason.unwrap_or_default(),
            likeness_permille: permille(likeness(&loser, &winner)),
        }))
    }

    async fn merge_complaint(
        &self,
        request: Request<wire::MergeComplaintRequest>,
    ) -> Result<Response<wire::MergeComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = MergeComplaint {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            into: id(&body.into_complaint_id),
            reason: body.reason,
        };
        self.advance(&call, verb, |complaint| wire::MergeComplaintResponse { complaint }).await
    }

    async fn undo_merge(
        &self,
        request: Request<wire::UndoMergeRequest>,
    ) -> Result<Response<wire::UndoMergeResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = UndoMerge { case: case(&call.principal, &body.complaint_id, &body.etag) };
        self.advance(&call, verb, |complaint| wire::UndoMergeResponse { complaint }).await
    }

    async fn link_complaints(
        &self,
        request: Request<wire::LinkComplaintsRequest>,
    ) -> Result<Response<wire::LinkComplaintsResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = LinkComplaints {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            other: id(&body.other_complaint_id),
            kind: required(body.kind, "kind")?,
        };
        self.advance(&call, verb, |complaint| wire::LinkComplaintsResponse { complaint }).await
    }
}
