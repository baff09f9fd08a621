//! Opaque cursors: where a list goes on, bound to the list that they were given for.
//!
//! A cursor carries a position and no permission: each handler asks only for what the principal may see,
//! whatever the cursor says, so it need not be signed.

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::idempotency::fingerprint;

/// The text is no cursor of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

/// Longer texts are not ours. The longest position is the beginning of a name (160 bytes, each of which JSON may write
/// as two) and a product's id, twice.
pub(crate) const MAX_LENGTH: usize = 1024;
/// How much of a list's fingerprint tells it from others: 96 bits.
const NAME_LENGTH: usize = 16;

/// A position in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cursor<T> {
    /// The list: the beginning of a fingerprint of its name and filter, which may be long.
    #[serde(rename = "l")]
    list: String,
    /// The last item that was shown.
    #[serde(rename = "p")]
    position: T,
}

impl<T: Serialize + DeserializeOwned> Cursor<T> {
    /// The cursor behind `position` in the list that `list` names, filter included.
    ///
    /// # Errors
    /// The position cannot be written as JSON.
    pub fn encode(list: &str, position: T) -> Result<String, serde_json::Error> {
        let json = serde_json::to_vec(&Self { list: name(list), position })?;
        Ok(BASE64URL_NOPAD.encode(&json))
    }

    /// The position that a cursor of this list holds.
    ///
    /// # Errors
    /// [`InvalidCursor`] for anything that this list has not given out.
    pub fn decode(list: &str, text: &str) -> Result<T, InvalidCursor> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidCursor);
        }
        let json = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidCursor)?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| InvalidCursor)?;
        if cursor.list == name(list) { Ok(cursor.position) } else { Err(InvalidCursor) }
    }
}

fn name(list: &str) -> String {
    let mut name = fingerprint(list.as_bytes());
    name.truncate(NAME_LENGTH);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let text = Cursor::encode("orders?status=pending", "a".to_owned()).unwrap();
        assert_eq!(Cursor::decode("orders?status=pending", &text), Ok("a".to_owned()));
        assert_eq!(Cursor::<String>::decode("orders?status=confirmed", &text), Err(InvalidCursor));
        for bad in ["", "x", "====", "bnVsbA", &"a".repeat(1025)] {
            assert_eq!(Cursor::<String>::decode("orders?status=pending", bad), Err(InvalidCursor), "{bad}");
        }
    }
}
