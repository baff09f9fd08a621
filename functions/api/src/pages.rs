//! The pages of the shop, and what they load: held as they are sent, packed when this was built.
//!
//! Two tables say how they are served, and the tests of the pages read them too (docs/decisions/0062): which paths are
//! pages, and which files there are (`web/routes.json`); and the headers (`web/headers.json`).

use std::collections::BTreeMap;

use serde::Deserialize;
use shop_http::{Asked, HeaderName, HeaderValue, Reply, StatusCode, fits, header};
use shop_lambda::{Environment, StartError};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file, as it is and packed.
struct File {
    /// Its path in `web`.
    name: &'static str,
    media_type: &'static str,
    plain: Form,
    gzip: Form,
    brotli: Form,
}

/// A file in a coding.
struct Form {
    /// A strong entity tag, in quotation marks: it says that the bytes are the same, so that each form has its own
    /// (RFC 9110 section 8.8.3.3).
    tag: &'static str,
    bytes: &'static [u8],
}

#[derive(Deserialize)]
struct Routes {
    pages: Vec<Page>,
    not_found: NotFound,
    files: Vec<Folder>,
}

#[derive(Deserialize)]
struct Page {
    /// With `{id}` for what varies.
    path: String,
    file: String,
    /// What the page's own script is, which is told with the page.
    module: Option<String>,
    /// What it asks the API for first.
    data: Option<String>,
    /// Which headers are its own, in the place of those of pages.
    headers: Option<String>,
}

#[derive(Deserialize)]
struct NotFound {
    file: String,
    status: u16,
}

#[derive(Deserialize)]
struct Folder {
    /// `/assets/{build}/{file}`, or a folder's own name before `{file}`.
    path: String,
    folders: Vec<String>,
    lifetime: String,
}

/// The headers of answers, by what they are.
struct Headers {
    every: Fields,
    page: Fields,
    file: Fields,
    /// Of pages that have some of their own, all of them.
    own: BTreeMap<String, Fields>,
    lifetime: BTreeMap<String, HeaderValue>,
}

type Fields = Vec<(HeaderName, HeaderValue)>;

/// A header of the table: its words are joined.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

/// The pages, with their tables as the place that this runs in makes them.
pub(crate) struct Pages {
    routes: Routes,
    headers: Headers,
}

/// The variable with the origin of the addresses at which files are put.
const UPLOADS_ORIGIN: &str = "UPLOADS_ORIGIN";

fn words(fields: BTreeMap<String, Words>, uploads: &str) -> Option<Fields> {
    let field = |(name, words): (String, Words)| {
        let separator = if name == "permissions-policy" { ", " } else { "; " };
        let line = match words {
            Words::One(line) => line,
            Words::Many(list) => list.join(separator),
        };
        let line = line.replace("{uploads}", uploads);
        Some((name.parse().ok()?, line.parse().ok()?))
    };
    fields.into_iter().map(field).collect()
}

fn headers(table: &str, uploads: &str) -> Option<Headers> {
    let mut table: BTreeMap<String, BTreeMap<String, Words>> = serde_json::from_str(table).ok()?;
    let mut fields = |kind: &str| words(table.remove(kind)?, uploads);
    let (every, page, file) = (fields("every")?, fields("page")?, fields("file")?);
    let lifetime = fields("lifetime")?.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let names: Vec<_> = table.keys().cloned().collect();
    let mut fields = |kind: &str| words(table.remove(kind)?, uploads);
    let over = |own: Fields| {
        let kept = page.iter().filter(|(name, _)| !own.iter().any(|(other, _)| other == name)).cloned();
        kept.chain(own.clone()).collect::<Fields>()
    };
    let own =
        names.into_iter().map(|name| Some((name.clone(), over(fields(&name)?)))).collect::<Option<_>>()?;
    Some(Headers { every, page, file, own, lifetime })
}

impl Pages {
    /// With the variable that names the origin at which files are put. Where something stands in for AWS, it takes them.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let named = environment.required(UPLOADS_ORIGIN)?;
        let uploads = environment.sdk_config().endpoint_url().unwrap_or(named);
        let invalid = || StartError::InvalidVariable { name: UPLOADS_ORIGIN.into(), expected: "an origin" };
        Self::of(origin(uploads).ok_or_else(invalid)?).ok_or_else(invalid)
    }

    /// With files that are put at this origin.
    pub(crate) fn of(uploads: &str) -> Option<Self> {
        let routes = serde_json::from_str(include_str!("../../../web/routes.json")).ok()?;
        Some(Self { routes, headers: headers(include_str!("../../../web/headers.json"), uploads)? })
    }

    /// The answer to a `GET` or `HEAD` of a path that no route has: a page or a file; for who would rather see a page than
    /// a problem document, the page that says that there is none. For everybody else there is nothing here.
    pub(crate) fn answer(&self, asked: &Asked<'_>) -> Option<Reply> {
        let Self { routes, headers } = self;
        let path = asked.path();
        if path.starts_with("/assets/") || path.starts_with("/pictures/") {
            return Some(match routes.files.iter().find_map(|folder| folder.file(path)) {
                Some((file, lifetime)) => {
                    let lifetime = headers.lifetime.get(lifetime).cloned();
                    let lifetime = lifetime.unwrap_or(HeaderValue::from_static("no-cache"));
                    self.sent(asked, file, &headers.file).with(header::CACHE_CONTROL, lifetime)
                }
                None => no_file(headers),
            });
        }
        if let Some(page) = routes.pages.iter().find(|page| page.fits(path)) {
            let own = page.headers.as_ref().and_then(|own| headers.own.get(own)).unwrap_or(&headers.page);
            let reply = self.sent(asked, file(&page.file)?, own);
            return Some(match page.early(path) {
                Some(early) => reply.with(header::LINK, early),
                None => reply,
            });
        }
        let status = StatusCode::from_u16(routes.not_found.status).ok().filter(|_| asked.prefers_html())?;
        let page = file(&routes.not_found.file)?;
        let reply = self.packed(page.media_type, form(asked, page), &headers.page).status(status);
        // Who would rather see a problem document sees one.
        Some(reply.with(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding")))
    }

    /// A file, or that the caller has it.
    fn sent(&self, asked: &Asked<'_>, file: &'static File, own: &Fields) -> Reply {
        let form = form(asked, file);
        let reply = if asked.has(form.1.tag) {
            self.described(Reply::no_content().status(StatusCode::NOT_MODIFIED), form.1, own)
        } else {
            self.packed(file.media_type, form, own)
        };
        reply.with(header::VARY, HeaderValue::from_static("Accept-Encoding"))
    }

    fn packed(&self, media_type: &'static str, (coding, form): Coded, own: &Fields) -> Reply {
        let reply = self.described(Reply::content(media_type, form.bytes.to_vec()), form, own);
        match coding {
            Some(coding) => reply.with(header::CONTENT_ENCODING, HeaderValue::from_static(coding)),
            None => reply,
        }
    }

    /// With the headers that a 304 has too (RFC 9110 section 15.4.5).
    fn described(&self, reply: Reply, form: &'static Form, own: &Fields) -> Reply {
        let reply = reply.with(header::ETAG, HeaderValue::from_static(form.tag));
        with(with(reply, &self.headers.every), own)
    }
}

/// The name of a coding, and a file in it.
type Coded = (Option<&'static str>, &'static Form);

/// In what form a file is sent.
fn form(asked: &Asked<'_>, file: &'static File) -> Coded {
    match () {
        () if asked.accepts("br") => (Some("br"), &file.brotli),
        () if asked.accepts("gzip") => (Some("gzip"), &file.gzip),
        () => (None, &file.plain),
    }
}

/// The origin of an address, if a policy may name it.
fn origin(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split('/').next().filter(|host| !host.is_empty())?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_one = matches!(scheme, "http" | "https") && host.bytes().all(is_plain);
    address.get(..scheme.len() + "://".len() + host.len()).filter(|_| is_one)
}

fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

fn no_file(headers: &Headers) -> Reply {
    let text = "There is no such file.\n".to_owned();
    let reply = Reply::text("text/plain; charset=utf-8", text).status(StatusCode::NOT_FOUND);
    with(reply.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), &headers.every)
}

fn with(reply: Reply, fields: &Fields) -> Reply {
    fields.iter().fold(reply, |reply, (name, value)| reply.with(name.clone(), value.clone()))
}

impl Page {
    fn fits(&self, path: &str) -> bool {
        // A slash at the end is one slash.
        let bare = path.strip_suffix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/'));
        fits(&self.path, bare.unwrap_or(path))
    }

    /// What a browser may begin to load with the page.
    fn early(&self, path: &str) -> Option<HeaderValue> {
        let module =
            self.module.iter().map(|module| format!("</assets/{BUILD}/{module}>; rel=modulepreload"));
        let id = path.split('/').nth(2).filter(|id| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            !id.is_empty() && id.bytes().all(is_plain)
        });
        let data = self.data.iter().filter_map(|data| {
            let data = if data.contains("{id}") { data.replace("{id}", id?) } else { data.clone() };
            Some(format!("<{data}>; rel=preload; as=fetch; crossorigin=anonymous"))
        });
        let early: Vec<_> = module.chain(data).collect();
        early.join(", ").parse().ok().filter(|_| !early.is_empty())
    }
}

impl Folder {
    /// The file of a path, and how long it is kept.
    fn file(&self, path: &str) -> Option<(&'static File, &str)> {
        let name = match self.path.strip_suffix("{build}/{file}") {
            Some(prefix) => path.strip_prefix(prefix)?.strip_prefix(BUILD)?.strip_prefix('/')?,
            None => path.strip_prefix('/')?,
        };
        let (folder, _) = name.split_once('/')?;
        if !self.folders.iter().any(|known| known == folder) {
            return None;
        }
        let file = file(name).filter(|file| !file.media_type.starts_with("text/html"))?;
        Some((file, &self.lifetime))
    }
}

#[cfg(test)]
mod tests;
