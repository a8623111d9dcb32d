//! The routes of a function, with the descriptions of their operations.
//!
//! A function that serves requests never describes itself, so the descriptions are built only when they are asked for:
//! building them took as much time as the rest of a function's start.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};

#[doc(hidden)]
pub use pastey::paste;

/// What an operation's description consists of: the schemas that it refers to, by name, and its path.
#[derive(Clone, Default)]
pub struct Description {
    /// The schemas.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// The path, with its operations.
    pub paths: Paths,
}

/// Builds a description.
pub type Describe = Box<dyn Fn() -> Description + Send + Sync>;

/// The handlers of one path. [`routes!`](crate::routes!) creates it.
pub struct Route<S> {
    /// The path, with variables as `{name}`.
    pub path: String,
    /// The methods that are described.
    pub methods: Vec<HttpMethod>,
    /// The handlers.
    pub handlers: MethodRouter<S>,
    /// Their description.
    pub describe: Describe,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// Adds the handler of these methods.
    #[must_use]
    pub fn on<H: Handler<T, S>, T: 'static>(mut self, methods: Vec<HttpMethod>, handler: &H) -> Self {
        for method in methods {
            self.handlers = self.handlers.on(filter(&method), handler.clone());
            self.methods.push(method);
        }
        self
    }
}

const fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// Routes, and what describes them.
pub struct Routes<S> {
    /// Kept as a list, because merging routers adds every route again.
    handlers: Vec<(String, MethodRouter<S>)>,
    descriptions: Vec<Describe>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { handlers: Vec::new(), descriptions: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handlers of a path.
    #[must_use]
    pub fn routes(mut self, route: Route<S>) -> Self {
        self.handlers.push((route.path, route.handlers));
        self.descriptions.push(route.describe);
        self
    }

    /// Adds handlers without a description.
    #[must_use]
    pub fn undescribed(mut self, path: &str, handlers: MethodRouter<S>) -> Self {
        self.handlers.push((path.to_owned(), handlers));
        self
    }

    /// Adds other routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.handlers.extend(other.handlers);
        self.descriptions.extend(other.descriptions);
        self
    }

    /// Adds other routes that another function describes.
    #[must_use]
    pub fn merge_undescribed(mut self, other: Self) -> Self {
        self.handlers.extend(other.handlers);
        self
    }

    /// The handlers.
    pub fn into_router(self) -> Router<S> {
        self.handlers.into_iter().fold(Router::new(), |router, (path, handlers)| router.route(&path, handlers))
    }

    /// The description of all operations, without title and version.
    #[must_use]
    pub fn describe(&self) -> OpenApi {
        let mut api = OpenApi::default();
        let schemas = &mut api.components.get_or_insert_default().schemas;
        for Description { schemas: more, paths } in self.descriptions.iter().map(|describe| describe()) {
            schemas.extend(more);
            api.paths.merge(paths);
        }
        api
    }
}

/// Turns handlers of one path that have `#[utoipa::path]` into a [`Route`].
#[macro_export]
macro_rules! routes {
    ($first:ident $(, $more:ident)* $(,)?) => {
        $crate::routes::paste! {{
            use utoipa::{Path as _, __dev::{SchemaReferences as _, Tags as _}};
            let route = $crate::routes::Route {
                path: [<__path_ $first>]::path(),
                methods: Vec::new(),
                handlers: axum::routing::MethodRouter::new(),
                describe: Box::new(|| {
                    let mut described = $crate::routes::Description::default();
                    $crate::routes!(@describe described, [<__path_ $first>]);
                    $( $crate::routes!(@describe described, [<__path_ $more>]); )*
                    described
                }),
            };
            route.on([<__path_ $first>]::methods(), &$first) $( .on([<__path_ $more>]::methods(), &$more) )*
        }}
    };
    (@describe $described:ident, $path:ident) => {
        let mut operation = $path::operation();
        let tags = $path::tags();
        if !tags.is_empty() {
            operation.tags.get_or_insert_default().extend(tags.iter().map(ToString::to_string));
        }
        $path::schemas(&mut $described.schemas);
        $described.paths.add_path_operation($path::path(), $path::methods(), operation);
    };
}
