//! The kinds of error a caller can meet, and the one table of what each is called on every wire.

use axum::http::StatusCode;

/// What sort of failure a caller met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A parameter is unknown, repeated or malformed.
    Invalid,
    /// The question would cost too much.
    TooMuch,
    /// The path or what it names does not exist.
    NotFound,
    /// The path exists, but not with this method.
    Method,
    /// A key is needed, or the one shown is not good.
    Unauthorized,
    /// The caller may not have this.
    Forbidden,
    /// The caller has used up its budget for now.
    Spent,
    /// No format the caller accepts can be given.
    NotAcceptable,
    /// The request's body is larger than allowed.
    TooLarge,
    /// The request's body did not come in time.
    Slow,
    /// The request's body is in an encoding that is not taken.
    Encoding,
    /// Too much is going on; try again shortly.
    Busy,
    /// Some of the readings sent were refused; the rest is taken.
    Refused,
    /// The disk is full: nothing more is taken in.
    Full,
    /// The server is starting or stopping.
    Closed,
    /// The answer took longer than allowed.
    Timeout,
    /// The text is not SQL.
    Syntax,
    /// SQL of a sort that is not answered here.
    Statement,
    /// SQL that names no table there is.
    Table,
    /// SQL that names no column there is.
    Column,
    /// SQL that calls no function there is.
    Function,
    /// SQL whose types do not fit.
    Types,
    /// SQL that divides by zero.
    Division,
    /// SQL that makes a value which cannot be.
    Value,
    /// The answer needs more memory than allowed.
    Memory,
    /// A fault of the server's own.
    Internal,
}

/// What one kind is called on each wire.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// HTTP status.
    pub status: StatusCode,
    /// SQLSTATE, as PostgreSQL's appendix A lists them.
    pub sqlstate: &'static str,
    /// gRPC status code, as in google.rpc.Code.
    pub grpc: u8,
    /// Last part of the problem type's path.
    pub slug: &'static str,
    /// Title of the problem, the same for each occurrence.
    pub title: &'static str,
}

impl Kind {
    /// Every kind, for documentation and tests.
    pub const ALL: [Kind; 26] = [
        Kind::Invalid,
        Kind::TooMuch,
        Kind::NotFound,
        Kind::Method,
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::Spent,
        Kind::NotAcceptable,
        Kind::TooLarge,
        Kind::Slow,
        Kind::Encoding,
        Kind::Busy,
        Kind::Refused,
        Kind::Full,
        Kind::Closed,
        Kind::Timeout,
        Kind::Syntax,
        Kind::Statement,
        Kind::Table,
        Kind::Column,
        Kind::Function,
        Kind::Types,
        Kind::Division,
        Kind::Value,
        Kind::Memory,
        Kind::Internal,
    ];

    /// The table.
    pub fn wire(self) -> Wire {
        let (status, sqlstate, grpc, slug, title) = match self {
            Kind::Invalid => (StatusCode::BAD_REQUEST, "22023", 3, "invalid-parameter", "A parameter is wrong"),
            Kind::TooMuch => (StatusCode::BAD_REQUEST, "54000", 8, "too-much", "The question would cost too much"),
            Kind::NotFound => (StatusCode::NOT_FOUND, "42704", 5, "not-found", "There is no such thing"),
            Kind::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "0A000", 12, "method-not-allowed", "The method is not allowed here")
            }
            Kind::Unauthorized => (StatusCode::UNAUTHORIZED, "28P01", 16, "unauthorized", "A good key is needed"),
            Kind::Spent => (StatusCode::TOO_MANY_REQUESTS, "53400", 8, "budget", "The budget is used up"),
            Kind::Forbidden => (StatusCode::FORBIDDEN, "42501", 7, "forbidden", "This is not for you"),
            Kind::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "0A000", 3, "not-acceptable", "No acceptable format"),
            Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "54000", 8, "too-large", "The request is too large"),
            Kind::Slow => (StatusCode::REQUEST_TIMEOUT, "08006", 4, "too-slow", "The request came too slowly"),
            Kind::Encoding => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "0A000", 3, "encoding", "The encoding of the body is not taken")
            }
            Kind::Busy => (StatusCode::SERVICE_UNAVAILABLE, "53300", 14, "busy", "Too much is going on"),
            Kind::Refused => (StatusCode::UNPROCESSABLE_ENTITY, "22000", 3, "refused", "Some readings were refused"),
            Kind::Full => (StatusCode::SERVICE_UNAVAILABLE, "53100", 14, "full", "The disk is full"),
            Kind::Closed => {
                (StatusCode::SERVICE_UNAVAILABLE, "57P03", 14, "closed", "The server is starting or stopping")
            }
            Kind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "57014", 4, "timeout", "The answer took too long"),
            Kind::Syntax => (StatusCode::BAD_REQUEST, "42601", 3, "sql-syntax", "This is not SQL"),
            Kind::Statement => (StatusCode::BAD_REQUEST, "0A000", 12, "sql-statement", "SQL that is not answered here"),
            Kind::Table => (StatusCode::BAD_REQUEST, "42P01", 5, "sql-table", "There is no such table"),
            Kind::Column => (StatusCode::BAD_REQUEST, "42703", 5, "sql-column", "There is no such column"),
            Kind::Function => (StatusCode::BAD_REQUEST, "42883", 5, "sql-function", "There is no such function"),
            Kind::Types => (StatusCode::BAD_REQUEST, "42804", 3, "sql-types", "Types that do not fit"),
            Kind::Division => (StatusCode::BAD_REQUEST, "22012", 3, "sql-division-by-zero", "A division by zero"),
            Kind::Value => (StatusCode::BAD_REQUEST, "22000", 3, "sql-value", "A value that cannot be"),
            Kind::Memory => (StatusCode::BAD_REQUEST, "53200", 8, "memory", "The question needs too much memory"),
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "XX000", 13, "internal", "A fault of the server"),
        };
        Wire { status, sqlstate, grpc, slug, title }
    }

    /// What it means to the caller and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Kind::Invalid => {
                "The request names something unknown, names it twice, or gives it a value that cannot be read. \
                 Each entry of errors names the parameter and what is accepted."
            }
            Kind::TooMuch => {
                "Ask for a shorter span, a wider bucket, fewer sensors or fewer fields. The detail names a question that is accepted."
            }
            Kind::NotFound => {
                "The path, or the dataset or sensor it names, does not exist. The detail names what does."
            }
            Kind::Method => "The path exists, but takes other methods: the header Allow lists them.",
            Kind::Unauthorized => {
                "Send a key as Authorization: Bearer lp_…, or as the password of Basic. The operator makes keys by lamppost key add."
            }
            Kind::Forbidden => "The key that was shown lacks the scope this needs; the detail names it.",
            Kind::Spent => {
                "Each caller has so many cost units a minute; RateLimit-Policy and RateLimit tell how many, and how many are left. \
                 Try again after the seconds in Retry-After, ask for less at once, or ask the operator for a key with a larger budget."
            }
            Kind::NotAcceptable => {
                "None of the formats the request accepts can be given. The errors list those that can."
            }
            Kind::TooLarge => "The body of the request is larger than this server takes. Send it in parts.",
            Kind::Slow => "The body stopped coming, or came too slowly. Send it again, over a better line or in parts.",
            Kind::Encoding => "Send the body with Content-Encoding: gzip, or as it is without that header.",
            Kind::Busy => "The server has as much to do as it can take. Try again after the seconds in Retry-After.",
            Kind::Refused => {
                "The answer names what was refused and why; all else that was sent is taken. Send only what was mended again."
            }
            Kind::Full => "Nothing more is taken in until the operator has made room. Reading goes on.",
            Kind::Closed => "Try again shortly.",
            Kind::Timeout => {
                "Ask for a shorter span, a wider bucket, fewer sensors or fewer fields, or try again later."
            }
            Kind::Syntax => "The detail says what could not be read, and where. SQL here is that of PostgreSQL.",
            Kind::Statement => {
                "Here SQL only reads: one SELECT, with WITH, VALUES, UNION and EXPLAIN, of a size that is bounded. \
                 The detail names what was not taken."
            }
            Kind::Table => "Ask SELECT id, title FROM datasets for the tables there are, beside sensors and datasets.",
            Kind::Column => "Ask SELECT * FROM the table with LIMIT 1 for its columns.",
            Kind::Function => "Functions are taken from a list. The detail names those that are alike.",
            Kind::Types => "Cast values to the type that is needed: CAST(x AS numeric), TIMESTAMP '2026-11-20 08:00'.",
            Kind::Division => "Divide by NULLIF(x, 0): the result is null where x is 0.",
            Kind::Value => "A cast or a sum gave a value that its type does not have. The detail names it.",
            Kind::Memory => {
                "Ask for a shorter span, fewer columns or fewer groups; filter before you join, sort or collect."
            }
            Kind::Internal => "Something went wrong inside the server. It is logged there under the request's id.",
        }
    }

    /// Whether trying the same again later can help, and after how many seconds.
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Kind::Busy => Some(1),
            Kind::Closed => Some(5),
            Kind::Full => Some(60),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own_and_well_formed_codes() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.wire().slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let wire = kind.wire();
            assert!(wire.status.as_u16() >= 400, "{kind:?}");
            assert!(
                wire.sqlstate.len() == 5 && wire.sqlstate.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            );
            assert!((1..=16).contains(&wire.grpc));
            assert!(wire.slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert_eq!(kind.retry_after().is_some(), wire.status == StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        }
    }
}
