//! What the answers of the routes look like.

/// Members that an object must have, and those that it may have besides.
pub(super) struct Shape {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
    /// Members that are objects (unless `null`), or arrays of objects, with the shape of each.
    pub(super) nested: &'static [(&'static str, &'static Shape)],
}

const LINE: Shape = Shape {
    required: &["product_id", "name", "quantity", "price", "line_total"],
    optional: &[],
    nested: &[],
};

pub(super) const ORDER: Shape = Shape {
    required: &["id", "status", "items", "total_amount", "currency", "version", "created_at", "updated_at"],
    optional: &["customer_id", "rejection", "tracking_number"],
    nested: &[("items", &LINE), ("rejection", &REJECTION)],
};

/// An order as the answer to whoever placed it: a guest's has its token, and no other answer does.
pub(super) const PLACED: Shape = Shape { optional: &["customer_id", "rejection", "order_token"], ..ORDER };

const REJECTION: Shape =
    Shape { required: &["reason", "shortages"], optional: &[], nested: &[("shortages", &SHORTAGE)] };

const SHORTAGE: Shape =
    Shape { required: &["product_id", "requested", "available"], optional: &[], nested: &[] };

pub(super) const PRODUCT: Shape = Shape {
    required: &[
        "id",
        "name",
        "description",
        "price",
        "currency",
        "category",
        "image_url",
        "stock",
        "version",
        "created_at",
        "updated_at",
    ],
    optional: &[],
    nested: &[],
};

pub(super) const STOCK: Shape = Shape {
    required: &["product_id", "stock", "reserved", "version", "updated_at", "low_stock_threshold"],
    optional: &[],
    nested: &[],
};

const AMOUNT: Shape = Shape { required: &["currency", "amount"], optional: &[], nested: &[] };

pub(super) const STATISTICS: Shape = Shape {
    required: &["user_id", "orders_placed", "amount_spent", "last_order", "version", "updated_at"],
    optional: &[],
    nested: &[("amount_spent", &AMOUNT), ("last_order", &LAST_ORDER)],
};

const LAST_ORDER: Shape = Shape { required: &["id", "placed_at"], optional: &[], nested: &[] };

pub(super) const ORDERS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &ORDER)] };

pub(super) const PRODUCTS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &PRODUCT)] };

const ALERT: Shape = Shape {
    required: &[
        "id",
        "kind",
        "status",
        "product_id",
        "available",
        "low_stock_threshold",
        "raised_at",
        "resolved_at",
    ],
    optional: &[],
    nested: &[],
};

pub(super) const ALERTS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &ALERT)] };

const IMPORT_LINES: Shape = Shape { required: &["read", "accepted", "refused"], optional: &[], nested: &[] };

const IMPORT_FAILURE: Shape =
    Shape { required: &["line", "column", "code", "detail"], optional: &[], nested: &[] };

const IMPORT_MEMBERS: &[&str] =
    &["id", "format", "status", "lines", "failure", "created_at", "updated_at", "upload"];

/// An import as whoever makes it is answered: with the address of its file, which no other answer has.
pub(super) const NEW_IMPORT: Shape = Shape {
    required: IMPORT_MEMBERS,
    optional: &[],
    nested: &[("lines", &IMPORT_LINES), ("failure", &IMPORT_FAILURE), ("upload", &UPLOAD)],
};

const UPLOAD: Shape = Shape { required: &["url", "expires_at", "max_bytes"], optional: &[], nested: &[] };

pub(super) const IMPORT: Shape = Shape {
    required: IMPORT_MEMBERS.split_at(7).0,
    optional: &[],
    nested: &[("lines", &IMPORT_LINES), ("failure", &IMPORT_FAILURE)],
};

pub(super) const EXPORT: Shape = Shape {
    required: &["id", "format", "status", "products", "download", "created_at", "updated_at"],
    optional: &[],
    nested: &[("download", &DOWNLOAD)],
};

const DOWNLOAD: Shape = Shape { required: &["url", "expires_at"], optional: &[], nested: &[] };

const LINE_ERROR: Shape = Shape { required: &["column", "code", "detail"], optional: &[], nested: &[] };

const REFUSED_LINE: Shape =
    Shape { required: &["line", "errors"], optional: &[], nested: &[("errors", &LINE_ERROR)] };

pub(super) const REFUSALS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &REFUSED_LINE)] };

pub(super) const USER: Shape = Shape {
    required: &["id", "email", "email_confirmed", "name", "role", "version", "created_at", "updated_at"],
    optional: &[],
    nested: &[],
};

pub(super) const USERS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &USER)] };

const EMAIL: Shape = Shape {
    required: &[
        "id",
        "template",
        "order_id",
        "user_id",
        "status",
        "reason",
        "attempts",
        "message_id",
        "sent_at",
        "version",
        "created_at",
        "updated_at",
    ],
    optional: &[],
    nested: &[],
};

/// A letter is null where the order or the account is no more.
pub(super) const EMAIL_WITH_LETTER: Shape = Shape {
    required: &["email", "letter"],
    optional: &[],
    nested: &[
        ("email", &EMAIL),
        ("letter", &Shape { required: &["subject", "text", "html"], optional: &[], nested: &[] }),
    ],
};

pub(super) const EMAILS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &EMAIL)] };

pub(super) const SETTINGS: Shape = Shape {
    required: &["release", "data"],
    optional: &[],
    nested: &[(
        "data",
        &Shape { required: &["group", "about", "parameter", "value"], optional: &[], nested: &[] },
    )],
};

pub(super) const SALES: Shape = Shape {
    required: &["from", "to", "by", "currency", "time_zone", "data", "total"],
    optional: &[],
    nested: &[("data", &SALES_BUCKET), ("total", &SALES_TOTAL)],
};

const SALES_BUCKET_MEMBERS: &[&str] =
    &["orders", "cancelled_orders", "units", "cancelled_units", "gross", "cancelled", "net", "date", "start"];

const SALES_BUCKET: Shape = Shape { required: SALES_BUCKET_MEMBERS, optional: &[], nested: &[] };

const SALES_TOTAL: Shape = Shape { required: SALES_BUCKET_MEMBERS.split_at(7).0, optional: &[], nested: &[] };

pub(super) const PRODUCT_SALES: Shape = Shape {
    required: &["from", "to", "sort", "currency", "time_zone", "data"],
    optional: &[],
    nested: &[("data", &PRODUCT_SALE)],
};

const PRODUCT_SALE: Shape = Shape {
    required: &["product_id", "units", "cancelled_units", "net_units", "gross", "cancelled", "net"],
    optional: &[],
    nested: &[],
};

const SESSION_MEMBERS: &[&str] =
    &["access_token", "token_type", "expires_in", "refresh_expires_in", "user_id", "role", "device_token"];

/// In the body, or in a page's cookie.
const OF_PROGRAMS: &[&str] = &["refresh_token"];

/// What a log-in answers with.
pub(super) const SESSION: Shape = Shape { required: SESSION_MEMBERS, optional: OF_PROGRAMS, nested: &[] };

/// What a refresh answers with: the device stays the one that logged in.
pub(super) const TOKENS: Shape =
    Shape { required: SESSION_MEMBERS.split_at(6).0, optional: OF_PROGRAMS, nested: &[] };

pub(super) const KEYS: Shape = Shape { required: &["keys"], optional: &[], nested: &[("keys", &KEY)] };

const KEY: Shape = Shape { required: &["kty", "crv", "use", "alg", "kid", "x"], optional: &[], nested: &[] };

const FIELD_ERROR: Shape = Shape { required: &["pointer", "code", "detail"], optional: &[], nested: &[] };

pub(super) const PROBLEM: Shape = Shape {
    required: &["type", "title", "status", "detail", "instance", "code", "request_id"],
    optional: &["errors"],
    nested: &[("errors", &FIELD_ERROR)],
};

const LEVEL: Shape = Shape { required: &["stock", "reserved"], optional: &[], nested: &[] };

const FIGURES: Shape = Shape {
    required: &["items", "total_amount", "currency"],
    optional: &[],
    nested: &[("items", &Shape { required: &["product_id", "price"], optional: &[], nested: &[] })],
};

pub(super) const NOTHING: Shape = Shape { required: &[], optional: &[], nested: &[] };

pub(super) const DEAD_LETTER_GROUPS: Shape = Shape {
    required: &["data", "letters", "complete"],
    optional: &[],
    nested: &[("data", &DEAD_LETTER_GROUP)],
};

const DEAD_LETTER_GROUP: Shape = Shape {
    required: &["consumer", "failure_code", "letters", "first_parked_at", "last_parked_at", "came_back"],
    optional: &[],
    nested: &[],
};

pub(super) const DEAD_LETTERS: Shape =
    Shape { required: &["data", "next_cursor"], optional: &[], nested: &[("data", &PARKED_DEAD_LETTER)] };

const PARKED_DEAD_LETTER: Shape = Shape {
    required: &["id", "consumer", "failure_code", "came_back", "parked_at"],
    optional: &[],
    nested: &[],
};

/// Its `body` is an event, whichever there are.
pub(super) const DEAD_LETTER: Shape = Shape {
    required: &[
        "id",
        "consumer",
        "status",
        "failure_code",
        "error",
        "attempts",
        "event",
        "body",
        "bytes",
        "first_parked_at",
        "parked_at",
        "came_back",
        "moved_by",
    ],
    optional: &[],
    nested: &[],
};

pub(super) const REDRIVE: Shape = Shape {
    required: &[
        "id",
        "disposal",
        "consumer",
        "failure_code",
        "cutoff",
        "rate",
        "reason",
        "status",
        "letters",
        "created_at",
        "finished_at",
    ],
    optional: &[],
    nested: &[("letters", &REDRIVE_PROGRESS)],
};

const REDRIVE_PROGRESS: Shape = Shape { required: &["matched", "moved"], optional: &[], nested: &[] };

/// What some problems carry besides (RFC 9457 section 3.2), by their code.
pub(super) const EXTENSIONS: &[(&str, Shape)] = &[
    ("stale_version", Shape { required: &["current_version"], optional: &[], nested: &[] }),
    ("illegal_transition", Shape { required: &["current_status"], optional: &[], nested: &[] }),
    ("insufficient_stock", LEVEL),
    ("too_much_stock", LEVEL),
    ("price_mismatch", Shape { required: &["current"], optional: &[], nested: &[("current", &FIGURES)] }),
];

const PIECE: Shape = Shape { required: &["text", "hit"], optional: &[], nested: &[] };

const FOUND: Shape = Shape {
    required: &[
        "id",
        "name",
        "highlight",
        "price",
        "currency",
        "category",
        "image_url",
        "in_stock",
        "version",
    ],
    optional: &[],
    nested: &[("highlight", &PIECE)],
};

const CATEGORY_COUNT: Shape = Shape { required: &["category", "count"], optional: &[], nested: &[] };

const PRICE_COUNT: Shape =
    Shape { required: &["min_price", "max_price", "currency", "count"], optional: &[], nested: &[] };

const FACETS: Shape = Shape {
    required: &["categories", "prices"],
    optional: &[],
    nested: &[("categories", &CATEGORY_COUNT), ("prices", &PRICE_COUNT)],
};

pub(super) const SEARCH: Shape = Shape {
    required: &["data", "next_cursor", "total", "facets", "indexed_at"],
    optional: &[],
    nested: &[("data", &FOUND), ("facets", &FACETS)],
};

const SUGGESTION: Shape =
    Shape { required: &["text", "highlight", "product_id"], optional: &[], nested: &[("highlight", &PIECE)] };

pub(super) const SUGGESTIONS: Shape =
    Shape { required: &["data"], optional: &[], nested: &[("data", &SUGGESTION)] };

const EVENT: Shape = Shape {
    required: &["id", "type", "subject", "version", "time", "correlation_id", "story_id"],
    optional: &["causation_id", "actor"],
    nested: &[],
};

pub(super) const EVENTS: Shape = Shape {
    required: &["data", "next_cursor", "searched_back_to"],
    optional: &[],
    nested: &[("data", &EVENT)],
};

pub(super) const STORY: Shape = Shape {
    required: &[
        "id",
        "about",
        "first_at",
        "last_at",
        "is_complete",
        "searched_back_to",
        "outstanding",
        "deliveries",
        "nodes",
        "edges",
        "logs",
    ],
    optional: &[],
    nested: &[
        ("deliveries", &DELIVERY),
        ("nodes", &STORY_NODE),
        ("edges", &STORY_EDGE),
        ("logs", &STORY_LOGS),
    ],
};

const DELIVERY: Shape = Shape {
    required: &["event_id", "consumer", "state", "attempts"],
    optional: &["last_attempt_at", "next_attempt_at", "code", "error"],
    nested: &[],
};

/// A request, an event or an attempt.
const STORY_NODE: Shape = Shape {
    required: &["kind", "id", "at"],
    optional: &[
        "type",
        "subject",
        "version",
        "correlation_id",
        "causation_id",
        "actor",
        "data",
        "story_id",
        "shared_with",
        "ends_at",
        "event_id",
        "consumer",
        "attempt",
        "duration_ms",
        "outcome",
        "code",
        "error",
        "next_attempt_at",
    ],
    nested: &[],
};

const STORY_EDGE: Shape = Shape { required: &["from", "to", "after_ms"], optional: &[], nested: &[] };

const STORY_LOGS: Shape = Shape { required: &["insights", "local"], optional: &[], nested: &[] };

pub(super) const QUEUES: Shape =
    Shape { required: &["data", "from", "to"], optional: &[], nested: &[("data", &QUEUE)] };

const QUEUE: Shape = Shape {
    required: &["consumer", "queue", "event_types", "ready", "in_flight", "dead_letters", "traffic"],
    optional: &[],
    nested: &[("traffic", &TRAFFIC)],
};

const TRAFFIC: Shape = Shape {
    required: &["in_per_minute", "out_per_minute", "failed_per_minute", "batches", "batch_ms", "minutes"],
    optional: &["lag_p50_ms", "lag_p95_ms"],
    nested: &[("minutes", &MINUTE)],
};

const MINUTE: Shape = Shape { required: &["at", "arrived", "done", "failed"], optional: &[], nested: &[] };
