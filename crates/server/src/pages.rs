//! Pages of one caller: what a list asks for, read with the secrets of the house and bound to the scope of who asks.

use kernel::{BranchScope, PageKeys, PageRequest};
use prost::Message;
use tonic::Status;

use crate::status;

/// Reads the paging fields of one call.
#[derive(Clone, Debug)]
pub struct Pages {
    keys: PageKeys,
    scope: BranchScope,
}

impl Pages {
    /// Pages for a caller of this scope.
    pub const fn new(keys: PageKeys, scope: BranchScope) -> Self {
        Self { keys, scope }
    }

    /// The page that a list asks for. Its token fits the list of this name with these filters and this scope only;
    /// `filter` is the request without its size and token. Fails with INVALID_ARGUMENT on the paging field that is
    /// wrong.
    pub fn read<T: Message>(&self, list: &str, size: i32, token: &str, filter: &T) -> Result<PageRequest, Status> {
        let filter = [list.as_bytes(), b"\0", &filter.encode_to_vec()].concat();
        PageRequest::read(&self.keys, &self.scope, size, token, &filter).map_err(|error| status::of_page(&error))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_page_token_belongs_to_its_list_its_filters_and_its_scope() {
        let keys = PageKeys::new(&[], [1; 32]);
        let pages = Pages::new(keys.clone(), BranchScope::All);
        let filter = "open".to_owned();
        let page = pages.read("complaints", 1, "", &filter).unwrap();
        let mut items = vec![1, 2];
        let token = page.cut(&mut items, |sort| kernel::Cursor { sort: *sort, id: Uuid::nil() });
        assert!(pages.read("complaints", 1, &token, &filter).is_ok());
        assert!(pages.read("interactions", 1, &token, &filter).is_err());
        assert!(pages.read("complaints", 1, &token, &"closed".to_owned()).is_err());
        assert!(Pages::new(keys, BranchScope::only([])).read("complaints", 1, &token, &filter).is_err());
    }
}
