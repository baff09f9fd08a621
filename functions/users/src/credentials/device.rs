//! Device tokens: what a device that has logged in to an account shows to be told from strangers, so that their
//! guesses do not keep it out (OWASP calls it a device cookie). Pure: no AWS, no clock.
//!
//! A token proves nothing but that its device logged in once: it takes the password all the same, and has a bucket of
//! its own for wrong ones (see [`crate::attempts::limits`]). Its MAC's key derives from the lookup secret, so nobody else can
//! make one; it names its account, the account's epoch when it was given out, and a nonce, and is stored nowhere.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use shop_types::UserId;

/// Tells a device token from other texts, and this form of it from later ones.
const PREFIX: &str = "dt1";
const NONCE_BYTES: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a device token")]
pub(crate) struct ParseDeviceTokenError;

/// A device token, which may or may not be genuine: see [`crate::credentials::blind_index::BlindIndex::is_genuine`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DeviceToken {
    user: UserId,
    epoch: u64,
    nonce: [u8; NONCE_BYTES],
    mac: Vec<u8>,
}

impl DeviceToken {
    /// A token with the MAC that `sign` makes of what it says.
    #[must_use]
    pub(crate) fn new(
        user: UserId,
        epoch: u64,
        nonce: [u8; NONCE_BYTES],
        sign: impl FnOnce(&str) -> Vec<u8>,
    ) -> Self {
        let mut token = Self { user, epoch, nonce, mac: Vec::new() };
        token.mac = sign(&token.claim());
        token
    }

    /// Whose account its device has logged in to.
    #[must_use]
    pub(crate) fn user(&self) -> &UserId {
        &self.user
    }

    /// The account's epoch at that time.
    #[must_use]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What tells this device from the account's others.
    #[must_use]
    pub(crate) fn nonce(&self) -> String {
        BASE64URL_NOPAD.encode(&self.nonce)
    }

    /// What the MAC is of.
    #[must_use]
    pub(crate) fn claim(&self) -> String {
        format!("{PREFIX}.{}.{}.{}", self.user, self.epoch, self.nonce())
    }

    #[must_use]
    pub(crate) fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// The token's text, for its device alone.
    #[must_use]
    pub(crate) fn reveal(&self) -> String {
        format!("{}.{}", self.claim(), BASE64URL_NOPAD.encode(&self.mac))
    }
}

impl FromStr for DeviceToken {
    type Err = ParseDeviceTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [PREFIX, user, epoch, nonce, mac] = parts[..] else { return Err(ParseDeviceTokenError) };
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ParseDeviceTokenError);
        let token = Self {
            user: user.parse().map_err(|_| ParseDeviceTokenError)?,
            epoch: epoch.parse().map_err(|_| ParseDeviceTokenError)?,
            nonce: bytes(nonce)?.try_into().map_err(|_| ParseDeviceTokenError)?,
            mac: bytes(mac)?,
        };
        // One token has one text: `+1` and `01` are no epochs.
        if token.reveal() == text { Ok(token) } else { Err(ParseDeviceTokenError) }
    }
}

/// Shows no MAC.
impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceToken")
            .field("user", &self.user)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shop_types::Timestamp;

    use super::*;
    use crate::credentials::blind_index::BlindIndex;
    use crate::credentials::blind_index::tests::blind_index;

    fn user(n: u8) -> UserId {
        UserId::fresh(Timestamp::from_millis(1), [n; 10])
    }

    #[test]
    fn a_token_reads_back_and_is_genuine() {
        let token = blind_index().device(user(1), 3, [7; 16]);
        let read: DeviceToken = token.reveal().parse().unwrap();
        assert_eq!(read, token);
        assert_eq!((read.user(), read.epoch()), (&user(1), 3));
        assert!(blind_index().is_genuine(&read));
    }

    #[test]
    fn nobody_makes_or_changes_one() {
        let text = blind_index().device(user(1), 3, [7; 16]).reveal();
        let other = blind_index().device(user(2), 3, [7; 16]).reveal();
        let part = |text: &str, n: usize| text.split('.').nth(n).unwrap().to_owned();
        for (n, by) in [(1, part(&other, 1)), (2, "4".into()), (3, "A".repeat(22)), (4, part(&other, 4))] {
            let forged: DeviceToken = text.replace(&part(&text, n), &by).parse().unwrap();
            assert!(!blind_index().is_genuine(&forged), "{by}");
        }
        let secret = BlindIndex::from_secret(&"x".repeat(32)).unwrap();
        assert!(!secret.is_genuine(&text.parse().unwrap()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = blind_index().device(user(1), 3, [7; 16]).reveal();
        for bad in [
            String::new(),
            "dt1....".into(),
            good.replace("dt1", "dt2"),
            good.replace(".3.", ".03."),
            good.replace(".3.", ".+3."),
            good.replace(".3.", ".-3."),
            format!("{good}."),
            format!("{good}="),
            good.replace("usr_", "ord_"),
            "x".repeat(100_000),
        ] {
            assert_eq!(bad.parse::<DeviceToken>(), Err(ParseDeviceTokenError), "{bad}");
        }
    }

    #[test]
    fn nothing_shows_the_mac() {
        let token = blind_index().device(user(1), 3, [7; 16]);
        assert!(!format!("{token:?}").contains(token.reveal().rsplit('.').next().unwrap()));
    }
}
