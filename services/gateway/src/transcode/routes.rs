//! The table from HTTP method and path to the method of the contract, read off the `google.api.http` options. Paths
//! have plain `{field}` segments and perhaps a `:verb` at the end, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use http::Method;
use proto::{HttpBinding, MethodInfo};

use super::percent;

/// Segments of the longest path that is looked at.
const MAX_SEGMENTS: usize = 16;

/// All routes, as a tree over path segments.
#[derive(Debug, Default)]
pub struct Routes(Node);

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    capture: Option<Box<Node>>,
    ends: Vec<Route>,
}

/// One way to a method over HTTP.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method of the contract.
    pub method: &'static MethodInfo,
    /// GET, POST, …
    pub http: Method,
    /// All fields travel in the body, but for those in the path.
    pub has_body: bool,
    verb: Option<String>,
    fields: Vec<String>,
}

/// A path that was found.
#[derive(Debug)]
pub struct Found<'r> {
    /// The route.
    pub route: &'r Route,
    /// Fields that stood in the path, decoded.
    pub captures: Vec<(&'r str, String)>,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is no such path.
    Path,
    /// The path is there, but only for these methods.
    Method(Vec<Method>),
    /// A segment holds a broken escape or is not UTF-8.
    Garbled,
}

/// A contract whose routes cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub enum RouteDefect {
    /// Two methods want the same address.
    Collision(String, String),
    /// A path that this table cannot express, or a field that the request does not have.
    Template(String, String),
}

impl fmt::Display for RouteDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collision(one, other) => write!(f, "{one} and {other} have the same HTTP address"),
            Self::Template(method, path) => write!(f, "{method} has an HTTP path that cannot be served: {path}"),
        }
    }
}

impl std::error::Error for RouteDefect {}

enum Segment<'a> {
    Literal(&'a str),
    Capture(&'a str),
}

impl Routes {
    /// The routes of all public methods. Fails when the contract has two methods at one address.
    pub fn of(methods: impl IntoIterator<Item = &'static MethodInfo>) -> Result<Self, RouteDefect> {
        let mut routes = Self::default();
        for method in methods.into_iter().filter(|method| !method.is_internal()) {
            for binding in &method.http {
                routes.add(method, binding)?;
            }
        }
        Ok(routes)
    }

    fn add(&mut self, method: &'static MethodInfo, binding: &HttpBinding) -> Result<(), RouteDefect> {
        let defect = || RouteDefect::Template(method.path.clone(), binding.path.clone());
        let (segments, verb) = template(&binding.path).ok_or_else(defect)?;
        let input = method.descriptor.input();
        let (mut node, mut fields) = (&mut self.0, Vec::new());
        for segment in segments {
            node = match segment {
                Segment::Literal(literal) => node.literals.entry(literal.to_owned()).or_default(),
                Segment::Capture(field) => {
                    let known = input.get_field_by_name(field).is_some_and(|field| !field.is_list() && !field.is_map());
                    if !known {
                        return Err(defect());
                    }
                    fields.push(field.to_owned());
                    node.capture.get_or_insert_default()
                }
            };
        }
        let http = Method::from_bytes(binding.method.as_str().as_bytes()).map_err(|_| defect())?;
        let route = Route { method, http, has_body: binding.has_body, verb: verb.map(str::to_owned), fields };
        if let Some(other) = node.ends.iter().find(|other| other.http == route.http && other.verb == route.verb) {
            return Err(RouteDefect::Collision(other.method.path.clone(), method.path.clone()));
        }
        node.ends.push(route);
        Ok(())
    }

    /// The route of a request. HEAD is not GET here: no method answers it.
    pub fn find(&self, http: &Method, path: &str) -> Result<Found<'_>, Missing> {
        let path = path.strip_prefix('/').ok_or(Missing::Path)?;
        // A verb stands behind the last ':' of the last segment; a ':' inside a value must be escaped.
        let (path, verb) = match path.rsplit_once('/') {
            Some((head, last)) => match last.rsplit_once(':') {
                Some((last, verb)) => (&path[..head.len() + 1 + last.len()], Some(verb)),
                None => (path, None),
            },
            None => (path, None),
        };
        let segments: Vec<&str> = path.split('/').collect();
        if segments.len() > MAX_SEGMENTS || segments.iter().any(|segment| segment.is_empty()) {
            return Err(Missing::Path);
        }
        let mut captures = Vec::new();
        let ends = self.0.descend(&segments, verb, &mut captures).ok_or(Missing::Path)?;
        let here = || ends.iter().filter(|route| route.verb.as_deref() == verb);
        let Some(route) = here().find(|route| route.http == http) else {
            return Err(Missing::Method(here().map(|route| route.http.clone()).collect()));
        };
        let decoded = captures.into_iter().map(|raw| percent::decode(raw, false)).collect::<Option<Vec<_>>>();
        let values = decoded.ok_or(Missing::Garbled)?;
        let captures = route.fields.iter().map(String::as_str).zip(values).collect();
        Ok(Found { route, captures })
    }

    /// Every route with its path, for listings and tests.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.all().into_iter()
    }
}

impl Node {
    /// The routes at the end of this path; a literal goes before a capture, and a dead end is left again.
    fn descend<'p>(&self, segments: &[&'p str], verb: Option<&str>, captures: &mut Vec<&'p str>) -> Option<&[Route]> {
        let Some((segment, rest)) = segments.split_first() else {
            let known = self.ends.iter().any(|route| route.verb.as_deref() == verb);
            return known.then_some(self.ends.as_slice());
        };
        let kept = captures.len();
        if let Some(found) = self.literals.get(*segment).and_then(|node| node.descend(rest, verb, captures)) {
            return Some(found);
        }
        captures.truncate(kept);
        captures.push(segment);
        self.capture.as_ref()?.descend(rest, verb, captures)
    }

    fn all(&self) -> Vec<&Route> {
        let below = self.literals.values().chain(self.capture.as_deref());
        self.ends.iter().chain(below.flat_map(Self::all)).collect()
    }
}

/// Segments and verb of a path such as `/v1/customers/{customer_id}:identify`.
fn template(path: &str) -> Option<(Vec<Segment<'_>>, Option<&str>)> {
    let path = path.strip_prefix('/')?;
    let (path, verb) = match path.split_once(':') {
        Some((path, verb)) => (path, Some(verb)),
        None => (path, None),
    };
    let name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if verb.is_some_and(|verb| !name(verb)) {
        return None;
    }
    let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(field) => field.strip_suffix('}').filter(|field| name(field)).map(Segment::Capture),
        None => Some(segment).filter(|segment| name(segment)).map(Segment::Literal),
    });
    Some((segments.collect::<Option<Vec<_>>>()?, verb))
}
