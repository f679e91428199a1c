//! The list of routes of an area. A route cannot exist without the action that it needs.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::Method,
    middleware,
    routing::{MethodFilter, MethodRouter, on},
};
use trust::Action;

use crate::{AppState, guard};

/// What is known of one route, for the guard, the description of the interface and the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// What a caller must be allowed to do.
    pub action: Action,
    /// The name of the handler: the operation id.
    pub operation: &'static str,
    /// The area: the module that the handler lives in.
    pub area: &'static str,
    /// The largest body accepted, bytes, where it differs from the server's setting.
    pub body_bytes_max: Option<usize>,
}

/// Routes of one or more areas.
#[derive(Default)]
pub struct Routes {
    routes: Vec<(Route, MethodRouter<AppState>)>,
    documents: Vec<utoipa::openapi::OpenApi>,
}

impl Routes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `GET` (and `HEAD`).
    #[must_use]
    pub fn get<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, action: Action, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, action, handler)
    }

    /// Answers `POST`.
    #[must_use]
    pub fn post<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, action: Action, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, action, handler)
    }

    /// Answers `PUT`.
    #[must_use]
    pub fn put<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, action: Action, handler: H) -> Self {
        self.on(Method::PUT, MethodFilter::PUT, path, action, handler)
    }

    /// Answers `PATCH`.
    #[must_use]
    pub fn patch<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, action: Action, handler: H) -> Self {
        self.on(Method::PATCH, MethodFilter::PATCH, path, action, handler)
    }

    /// Answers `DELETE`.
    #[must_use]
    pub fn delete<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, action: Action, handler: H) -> Self {
        self.on(Method::DELETE, MethodFilter::DELETE, path, action, handler)
    }

    fn on<H: Handler<T, AppState>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        action: Action,
        handler: H,
    ) -> Self {
        let (area, operation) = names_of::<H>();
        let route = Route { method, path, action, operation, area, body_bytes_max: None };
        self.routes.push((route, on(filter, handler)));
        self
    }

    /// Sets the largest body, in bytes, for the route that was added last.
    #[must_use]
    pub fn body_max(mut self, bytes: usize) -> Self {
        if let Some((route, _)) = self.routes.last_mut() {
            route.body_bytes_max = Some(bytes);
        }
        self
    }

    /// Adds what utoipa knows of an area's handlers and types. Routes it does not mention are described from this list.
    #[must_use]
    pub fn documented(mut self, document: utoipa::openapi::OpenApi) -> Self {
        self.documents.push(document);
        self
    }

    /// Both lists together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self.documents.extend(other.documents);
        self
    }

    /// What is known of each route, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(route, _)| route)
    }

    /// The parts of the OpenAPI document that areas wrote themselves.
    pub(crate) fn documents(&self) -> &[utoipa::openapi::OpenApi] {
        &self.documents
    }

    /// An axum router in which each route stands behind the guard.
    pub(crate) fn into_router(self, state: &AppState) -> Router<AppState> {
        self.routes.into_iter().fold(Router::new(), |router, (route, handler)| {
            let path = route.path;
            let post = guard::Post { state: state.clone(), route: std::sync::Arc::new(route) };
            let handler = match post.route.body_bytes_max {
                Some(bytes) => handler.route_layer(DefaultBodyLimit::max(bytes)),
                None => handler,
            };
            router.route(path, handler.route_layer(middleware::from_fn_with_state(post, guard::guard)))
        })
    }
}

/// The area (the module under the crate's root) and the name of a handler.
fn names_of<H>() -> (&'static str, &'static str) {
    let name = std::any::type_name::<H>();
    let area = name.split("::").nth(1).unwrap_or("api");
    (area, name.rsplit("::").next().unwrap_or(area))
}
