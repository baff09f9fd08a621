//! The words by which programs tell one error from another: the same word for the same error, on every route of
//! every service. docs/api.md lists them, and the contract says which of them a route answers with.

use std::fmt;

use lambda_http::http::StatusCode;
use serde::{Serialize, Serializer};

/// An enum of words: each variant is written as its word, and says in a few words when it is used.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $word:literal $when:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $when] $variant,)*
        }

        impl $name {
            /// All of them, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word, as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// When it is used.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self { $(Self::$variant => $when,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, word: &&str) -> bool {
                self.as_str() == *word
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a problem is: its `code`. The status follows from it.
    Code {
        EmptyBody "empty_body" "the route needs a body";
        UnexpectedBody "unexpected_body" "the route takes no body, and this one is no empty object";
        MalformedBody "malformed_body" "the body is not the Base64 that the gateway says it is";
        NotUtf8 "not_utf8" "the body is not text in UTF-8";
        ByteOrderMark "byte_order_mark" "the body begins with a byte order mark, which JSON does not have";
        MalformedJson "malformed_json" "the body is not JSON";
        InvalidQuery "invalid_query" "query parameters are wrong, not known or given twice: `errors`";
        InvalidIdempotencyKey "invalid_idempotency_key" "see Idempotency";
        InvalidSessionTransport "invalid_session_transport" "the header is not `cookie`";
        InvalidIfMatch "invalid_if_match" "the header is neither `*` nor a list of entity tags";
        InvalidIfNoneMatch "invalid_if_none_match" "the header is neither `*` nor a list of entity tags";
        Unauthorized "unauthorized" "no token, or one that proves nothing; a guest's order without its token";
        InvalidCredentials "invalid_credentials" "the address and the password do not belong together";
        InvalidRefreshToken "invalid_refresh_token" "the refresh token proves nothing: log in again";
        Forbidden "forbidden" "only an administrator may do this";
        NotYourAccount "not_your_account" "only its user may change an account";
        NotFound "not_found" "there is no such thing, or it is somebody else's, or the API has no such path";
        MethodNotAllowed "method_not_allowed" "the path does not have the method: `Allow` names those that it has";
        NotAcceptable "not_acceptable" "`Accept` names none of the media types in which this is there";
        PriceMismatch "price_mismatch" "the catalogue has other prices: they are in `current`";
        IllegalTransition "illegal_transition" "the order cannot become that any more: `current_status` says why";
        IdTaken "id_taken" "the product's id belongs to another product, or did";
        NoFile "no_file" "the import's file was not put under its address";
        FileTooLarge "file_too_large" "the import's file has more bytes than `upload.max_bytes`";
        InsufficientStock "insufficient_stock" "the difference does not fit: `stock` and `reserved` are as they are";
        TooMuchStock "too_much_stock" "the difference does not fit: `stock` and `reserved` are as they are";
        EmailTaken "email_taken" "the e-mail address has an account";
        LastAdministrator "last_administrator" "there would be no administrator left";
        StaleVersion "stale_version" "it has another version: `current_version`";
        BodyTooLarge "body_too_large" "the body has more than 64 KiB";
        UnsupportedMediaType "unsupported_media_type" "see Texts and bodies";
        UnsupportedContentEncoding "unsupported_content_encoding" "see Texts and bodies";
        InvalidRequest "invalid_request" "fields are wrong: `errors`";
        InvalidMailToken "invalid_mail_token" "the token of a mail proves nothing: it was used, is too old or none";
        UnknownProduct "unknown_product" "the order cannot be priced: `errors` names the lines";
        MixedCurrencies "mixed_currencies" "the order cannot be priced: `errors` names the lines";
        IdempotencyKeyReused "idempotency_key_reused" "the key was used for another request";
        TooManyAttempts "too_many_attempts" "wait for `Retry-After`";
        TooManyOrders "too_many_orders" "wait for `Retry-After`";
        Internal "internal" "our fault; the log says more, under the `request_id`";
        Contended "contended" "too many changes at the same moment: send the request again after `Retry-After`";
    }
}

impl Code {
    /// The status of an answer with this code.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::EmptyBody
            | Self::UnexpectedBody
            | Self::MalformedBody
            | Self::NotUtf8
            | Self::ByteOrderMark
            | Self::MalformedJson
            | Self::InvalidQuery
            | Self::InvalidIdempotencyKey
            | Self::InvalidSessionTransport
            | Self::InvalidIfMatch
            | Self::InvalidIfNoneMatch => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::InvalidCredentials | Self::InvalidRefreshToken => {
                StatusCode::UNAUTHORIZED
            }
            Self::Forbidden | Self::NotYourAccount => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::PriceMismatch
            | Self::IllegalTransition
            | Self::IdTaken
            | Self::NoFile
            | Self::FileTooLarge
            | Self::InsufficientStock
            | Self::TooMuchStock
            | Self::EmailTaken
            | Self::LastAdministrator => StatusCode::CONFLICT,
            Self::StaleVersion => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::UnsupportedContentEncoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::InvalidRequest
            | Self::InvalidMailToken
            | Self::UnknownProduct
            | Self::MixedCurrencies
            | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyAttempts | Self::TooManyOrders => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Contended => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

words! {
    /// What is wrong with one field, parameter or header: the `code` in `errors`.
    FieldCode {
        Missing "missing" "it is required";
        Unexpected "unexpected" "a field or parameter that is not known here";
        Repeated "repeated" "a field or parameter that was given before";
        WrongType "wrong_type" "not a string, number, object ... as it should be";
        WrongLength "wrong_length" "a text or an array that is too short or too long";
        OutOfRange "out_of_range" "a number or an amount that is too small or too large";
        Blank "blank" "a text with nothing to read in it";
        LineBreak "line_break" "more than one line, where there may be one";
        ControlCharacter "control_character" "a control character, or one that cannot be seen";
        LoneSurrogate "lone_surrogate" "half of a surrogate pair, which is no character";
        NothingToChange "nothing_to_change" "the body of a `PATCH` that names no field to change";
        InvalidEmail "invalid_email" "no e-mail address in ASCII";
        InvalidId "invalid_id" "no id of such a thing";
        InvalidCurrency "invalid_currency" "no ISO 4217 code of a currency in force";
        NotADecimal "not_a_decimal" "an amount that is no plain decimal number";
        TooManyDigits "too_many_digits" "an amount with more digits than its currency has";
        InvalidUrl "invalid_url" "neither a web address nor a path";
        InvalidFilter "invalid_filter" "no value of this query parameter";
        InvalidCursor "invalid_cursor" "a cursor that this list has not given out";
        InvalidKey "invalid_key" "no idempotency key: see Idempotency";
        NotForUsers "not_for_users" "only guests give an address with an order";
        UnknownStatus "unknown_status" "no status of an order";
        OnlyWhenShipped "only_when_shipped" "what is not shipped has no tracking number";
        DuplicateProduct "duplicate_product" "another line of the order has this product";
        UnknownProduct "unknown_product" "the catalogue does not have this product";
        MixedCurrencies "mixed_currencies" "sold in another currency than the line before";
        PriceMismatch "price_mismatch" "the catalogue has another price";
        CurrencyMismatch "currency_mismatch" "the catalogue has another currency";
        StockOrDelta "stock_or_delta" "exactly one of the two is needed";
        IdTaken "id_taken" "the id belongs to another product, or did";
        UnknownFormat "unknown_format" "neither `csv` nor `jsonl`";
        UnknownRole "unknown_role" "neither `customer` nor `admin`";
        TooCommon "too_common" "a password among those that are guessed first";
        ResemblesAccount "resembles_account" "a password that is little more than the address or the name";
        WrongPassword "wrong_password" "not the account's password";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_word_stands_for_two_things() {
        let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        let words: BTreeSet<_> = FieldCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), FieldCode::ALL.len());
    }
}
